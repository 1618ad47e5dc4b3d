// Mutants that no test can notice, or that none has to, each with the reason. They are found by what the line becomes, so that this list
// survives edits elsewhere.

export interface Explanation {
  /** Matches the changed line. */
  readonly mutated: RegExp;
  readonly why: string;
}

/** By file. */
export const explanations: Readonly<Record<string, readonly Explanation[]>> = {
  "assembly/add.ts": [
    {
      mutated: /^for \(; y \+ VECTOR < end; /,
      why: "the last vector is added element by element",
    },
  ],
  "assembly/crossEntropy.ts": [
    {
      mutated: /panelIn<T>\(Z, probabilities, .*, layout, 1\)/,
      why: "padding of the probabilities, where the weights are 0",
    },
    {
      mutated: /others <=? 0\.5\d* \? findInRow<T>\(.*\) : -[12]\);/,
      why: "either formula is accurate around there, and any negative column is none",
    },
    {
      mutated: /i <= CHUNK; i \+= 16\) v128\.store\(ONES \+ i, /,
      why: "one vector more of scratch memory, which is written again before it is read",
    },
  ],
  "assembly/exp.ts": [
    {
      mutated: /^if \(sizeof<T>\(\) == 5\) \{$/,
      why: "f32 goes through the terms of f64, whose coefficients are 0 in its table",
    },
    {
      mutated: /^put\(table, 0, magic \+ \(single \? 0 : 4294967296\), single\);$/,
      why: "an exponent field of 0 gives 2^n = 0, and so e^x, without being taken for too small",
    },
    {
      mutated: /left > 1; left -= part\)|<usize>left & ~\(CHUNK - [234]\), BLOCK\)/,
      why: "the bytes of a row are a multiple of 4",
    },
    {
      mutated: /filledFor = sizeof<T>\(\) != 4 \? F32_TEMPERATURE : F64_TEMPERATURE;$/,
      why: "the two temperatures change places",
    },
  ],
  "assembly/hinge.ts": [
    {
      mutated: /^const special = lossesAndSlopes\(total, loss \? .* : 1, n, /,
      why: "losses that nobody asked for, in the first kilobyte of memory, where nothing is",
    },
    {
      mutated: /^const (?:SUM|TOP): usize = [89] \* STATISTIC;/,
      why: "the sums are looked at before the classes are found, and may lie where these will",
    },
    {
      mutated: /^for \(let row = ROWS, end = .*; row <= end; row \+= 16\) \{$/,
      why: "two rows more, of which nothing is used",
    },
    {
      mutated: /^findTop<T>\(.*, grad != 1\);$/,
      why: "the class at the top is looked for in vain",
    },
    {
      mutated: /^store<i32>\(top, isNaN\(load<f64>\(row, ROW_WEIGHT\)\) \? -[2-9] : /,
      why: "any negative number says so",
    },
    {
      mutated: /^const OWN: usize = 6 \/ STATISTIC;/,
      why: "x_y is no longer needed where the gradient comes to lie",
    },
    {
      mutated: /^if \(load<f64>\(row, TARGET\) != -Infinity\) ;$/,
      why: "LOWEST also for rows that do not ask for it; nothing comes near a class that is alone, whatever its x_y",
    },
    {
      mutated: /^if \(cols == 1\) store<f64>\(row, [1-9], TARGET\);$/,
      why: "nothing comes near a class that is alone, whatever its x_y",
    },
  ],
  "assembly/log.ts": [
    {
      mutated: /^for \(let i: usize = 0; i <= bytes; i \+= VECTOR\) \{/,
      why: "the logarithm of one row more, which nobody reads",
    },
    {
      mutated: /^const SQRT_HALF_BITS: i64 = 0x3fe6a09e667f3bc[ce];/,
      why: "1 + s at the bound itself may be taken from either side",
    },
  ],
  "assembly/logSoftmax.ts": [
    {
      mutated: /const d?ys = panelIn<T>\([XZ], d?y, .*, layout, 1\);/,
      why: "padding of y, what is computed from it is not stored",
    },
  ],
  "assembly/panel.ts": [
    {
      mutated: /for \(let j = 0, t = tile; t <= end;/,
      why: "one vector more of scratch memory is written, behind what is read",
    },
    {
      mutated: /rows > lanes<T>\(\) && (?:inner > 1|cols >= lanes<T>\(\))|cols > lanes<T>\(\)\) \{$/,
      why: "a full tile takes the way of a partial one, which gives the same",
    },
    {
      mutated: /^if \(i \+ lanes<T>\(\) <=? rows && j \+ lanes<T>\(\) <=? cols\) \{/,
      why: "what is not transposed in a square is one by one",
    },
    {
      mutated: /^for \(let t = (?:tile|panel), (?:from|to) = [xy]; t <= end; t \+= square<T>\(\)/,
      why: "the last columns are transposed once more",
    },
    {
      mutated: /^if \(inner == [02]\) return x \+ <usize>r \*/,
      why: "the general formula gives the same for inner = 1",
    },
    {
      mutated:
        /^const cheaper = |^return cheaper && inner == (?:1 && rows (?:<=|>=?)|0 && rows <) lanes<T>\(\) \? ALONE/,
      why: "whether a row is laid out alone, which changes no bit",
    },
    {
      mutated: /^return min\(tiles \* lanes<T>\(\), inner == [02] \? rows - r/,
      why: "a panel for each row, the same results",
    },
    {
      mutated: /^if \(left <= perChunk\) \{$|^for \(let left = cols; left >= 0; left -= perChunk/,
      why: "rowIn, rowOut: a whole chunk takes the way of a part; one chunk more of the panel, for which there is room, or nothing",
    },
    {
      mutated: /^return min\(tiles \/ lanes<T>\(\), inner == 1/,
      why: "smaller panels, the same results",
    },
    {
      mutated: /^(?:export const STATISTIC = 6[345] \* [89];|const PANEL_BYTES = 409[57];|const MAX_TILES = 15;)$/,
      why: "more room than is needed (63 · 8 is rounded up to whole vectors), or smaller panels: the same results",
    },
    {
      mutated: /^return (?:10[35];|19[13] \/ sizeof<T>\(\);)$/,
      why: "either way of laying out such a row is right; which one it is the digest holds, not these tests",
    },
    {
      mutated: /^for \(let x = panel; j \+ perChunk < cols; /,
      why: "the last chunk is looked through one by one",
    },
    {
      mutated: /^;$/,
      why: "swapAxes: what was transposed in a square is written once more, one by one",
    },
    {
      mutated: /^const [ab] = v128\.or\(v128\.eq<T>.*v128\.ne<T>|^const [ab] = v128\.or\(v128\.ne<T>/,
      why: "findInRow: the search goes on one by one from an earlier chunk",
    },
    {
      mutated: /^for \(let j = 0; j <= cols; j \+= lanes<T>\(\)\) \{$/,
      why: "swapAxes: beyond the last column nothing is left to do",
    },
  ],
  "assembly/passes.ts": [
    {
      mutated: /i32x4\.shuffle\(count, count, 2, 3, \d, \d\)/,
      why: "the two lanes behind are not converted",
    },
    {
      mutated: /^let a = v128\.splat<T>\(-Infinity\), b = a, s = v128\.splat<T>\(1\), t = s;/,
      why: "it only counts whether the sum is NaN, and where it is the row is looked at again",
    },
    {
      mutated: /^return v128\.(?:add|sub)<T>\((?:seen|s), (?:t|v128\.(?:add|sub)<T>\(a, b\))\);$/,
      why: "it only counts whether the sum is NaN, and where it is the row is looked at again",
    },
    {
      mutated: /^if \(layout != NARROW \|\| v128\.any_true\(v128\.ne<T>\(s, s\)\)\) s = /,
      why: "rows that hold no NaN are looked at once more",
    },
  ],
  "assembly/simd.ts": [
    {
      mutated: /pmax<T>\(x, i32x4\.shuffle\(x, x, 1, 0, \d, \d\)\)/,
      why: "only the first lane of a fold is read",
    },
    {
      mutated: /promote_low_f32x4\(i32x4\.shuffle\(x, x, 2, 3, \d, \d\)\)/,
      why: "the two lanes behind are not promoted",
    },
    {
      mutated: /^if \(scale != [02]\) \{$/,
      why: "a multiplication by 1",
    },
  ],
  "src/baseline/crossEntropy.ts": [
    {
      mutated: /^if \(s <= 1\) e\[k\] =/,
      why: "at p_k = ½ both formulas are as accurate",
    },
    {
      mutated: /^for \(let j = 0; j <= classes; j\+\+\) q\[j\] = w\[j\]! \* spread;$/,
      why: "one element more of a row to compute in, behind what is read",
    },
    {
      mutated: /^if \(to - from > 25[57]\) \{$/,
      why: "pairwise sums over other lengths, as accurate",
    },
  ],
  "src/baseline/hinge.ts": [
    {
      mutated: /^for \(let o = 0, row = 0; o <= outer; /,
      why: "a row beyond the last, whose writes go nowhere",
    },
  ],
  "src/baseline/logSoftmax.ts": [
    {
      mutated: /^const e = scratchRow\(2, classes\);$/,
      why: "another row to compute in, which is free as well",
    },
  ],
  "src/baseline/row.ts": [
    {
      mutated: /^if \(to - from (?:>= 256|> 25[57])\) \{$/,
      why: "halves of another length, as accurate",
    },
    {
      mutated: /^if \(temperature !== 1\) for \(let j = 0; j <= classes; j\+\+\)/,
      why: "one element more of a row to compute in, behind what is read",
    },
    {
      mutated: /^if \(stride === 1 && classes (?:>= 64|> 6[35])\) fillWith/,
      why: "one by one or at once, the same elements are filled",
    },
    {
      mutated: /^const kept = \[[012], [0-3], [123]\]\.map\(\(\) =>/,
      why: "only how many there are is used",
    },
    {
      mutated: /^const KEPT_CLASSES = /,
      why: "from where on a row gets an array of its own",
    },
  ],
  "src/arguments/check.ts": [
    {
      mutated: /^void array\[1\];$/,
      why: "asked only so that the engine knows what is at hand",
    },
    {
      mutated: /^const isPlain = getPrototypeOf\(array\) !== Int32Array\.prototype/,
      why: "of class indices nothing is asked that another realm's array or a subclass's would answer otherwise",
    },
  ],
  "src/arguments/output.ts": [
    {
      mutated: /^return !\(aStart === bStart \|\| aEnd === bEnd\)/,
      why: "the two have the same length, and so begin together where they end together",
    },
    {
      mutated: /output\.isNew && kernels\.readsFirst\(shape\)/,
      why: "inputs are asked whether they overlap, and copied, without need",
    },
    {
      mutated: /^return !\(aStart [!=]== bStart && aEnd [!=]== bEnd\) && aStart < bEnd && bStart < aEnd;$/,
      why: "arrays of one length, so both or neither are equal; otherwise a copy that is not needed",
    },
  ],
  "src/arguments/rowBuffers.ts": [
    {
      mutated: /rows >= reused\.length|Math\.min\(REUSED_ROWS, rows \* 3\)/,
      why: "more room than is asked for",
    },
    {
      mutated: /^if \(rows >= REUSED_ROWS\) return newArray/,
      why: "a new array in place of one that is used again",
    },
    {
      mutated: /^const REUSED_ROWS = /,
      why: "a new array in place of one that is used again",
    },
  ],
  "src/arguments/targets.ts": [
    {
      mutated: /^if \(length > FEW\) for /,
      why: "either way they are copied",
    },
    {
      mutated: /fits: false \};$/,
      why: "the quick way: the thorough one comes to the same",
    },
    {
      mutated: /^result\[r\] = -2;$/,
      why: "any negative index is that of a row that is ignored",
    },
  ],
  "src/wasm/arena.ts": [
    {
      mutated: /^export const ARENA_BYTES: number = (?:12[79] \* 1024|128 \* 102[35]);$/,
      why: "blocks of a few rows more or fewer, the same results",
    },
    {
      mutated: /^if \(end > 65537 \* PAGE\)/,
      why: "one page too many does not wrap around, and memory refuses to grow to it",
    },
    {
      mutated: /^private (?:next|kept) = 1;$/,
      why: "set by `open` before it is read",
    },
    {
      mutated: /^(?:const ALIGNMENT = 15;|return bytes \+ \(bytes & \(ALIGNMENT - 1\)\);)$/,
      why: "sizes are multiples of 4, and what comes of them is still one of 8, which is all that the views need",
    },
    {
      mutated: /^return this\.start \+ bytes < this\.f32\.length \* 4;$/,
      why: "where just that much is left memory grows as well, or the shared kernels do it",
    },
    {
      mutated: /^this\.reserved = this\.indicesAt \+ FEW_ELEMENTS \* 5;$/,
      why: "more room for the indices of a small call than they take",
    },
    {
      mutated: /^const pages = Math\.max\(1, /,
      why: "a page of memory more than is needed",
    },
  ],
  "src/wasm/blocks.ts": [
    {
      mutated: /^(?:private (?:outersPerBlock|innersPerBlock|outers?|inners?|spare) = 1;|protected shape: Shape = .*)$/,
      why: "set by `open` or `next` before it is read",
    },
    {
      mutated: /^this\.isRunning = true;$/,
      why: "kernelsFor: `open` sets it anyway, or has failed, and another new instance is as good",
    },
    {
      mutated: /^const old = this\.arena\.take\(this\.elements \/ /,
      why: "the last piece of a block: nothing comes after it",
    },
    {
      mutated: /^(?:if|else if) \(rows (?:<|>=) FEW\) copy\(/,
      why: "either way they are copied",
    },
    {
      mutated: /^const (?:to|from) = at >> [23];$/,
      why: "an address below 2^31, as all are but in memories of more than 2 GiB",
    },
    {
      mutated: /^this\.inners = 1;$/,
      why: "the inner position is at the end already",
    },
    {
      mutated:
        /^this\.isWhole = (?:bytes < ARENA_BYTES && \(inner === 1 \|\| classes <= narrow\)|bytes <= ARENA_BYTES && \(inner === 1 \|\| classes < narrow\))/,
      why: "a call that would fit into one block goes the way of those that do not, to the same results",
    },
    {
      mutated: /lengthOf\(array\) \/ this\.typed\.bytes > start\) return 0;$/,
      why: "an array over a workspace's buffer that ends in the arena: what it holds there is lost in any case",
    },
    {
      mutated: /^const ROUNDED = 1[567] \* 1[012];$/,
      why: "the room for rounding up; a call needs less",
    },
  ],
  "src/wasm/kernels.ts": [
    {
      mutated:
        /^if \(temperature >=? [23] \*\* -20 && temperature <=? (?:1 \*\* 20|2 \*\* 19|[23] \*\* 20)\) return 1;$/,
      why: "x and T are divided by the same power of two sooner, which rounds nothing but subnormal x, or somewhat later, where the kernels still do",
    },
    {
      mutated: /^return 2 \*\* Math\.max\(-102[123], Math\.min\(102[123], /,
      why: "x and T are multiplied by another power of two",
    },
    {
      mutated:
        /this\.open\(shape, .*, (?:2, [08], 0|1, [19], 0|1, [08], 1|3, 0, 0|2, 1, 0|2, 0, 1|weight === undefined \? 1 : shape\.classes)\)/,
      why: "room for more than is needed per block",
    },
    {
      mutated: /^const values = this\.arena\.take\(this\.rows \* 7\);$/,
      why: "the last results lie over the first rows of x, which have been read by then",
    },
    {
      mutated: /^const perRow = (?:5 \+ perResult|4 \+ perResult \+ .*\? (?:9 : 0|8 : 1)\))/,
      why: "room for more than is needed per row",
    },
    {
      mutated: /^westonWatkins \? 2 : 0,$/,
      why: "any number but 0 stands for true",
    },
    {
      mutated: /^const slots = .*(?:\|\||\? 2 : 2|\? 3 : 1|\? 1 : 3|\(accumulate \? (?:1 : 1|2 : 0)\))/,
      why: "room for an array too many per block: smaller blocks, the same results",
    },
    {
      mutated: / >> (?:this\.log2Bytes|2)[;,]/,
      why: "the same below 2 GiB",
    },
    {
      mutated: /^return inner === 1 && outer \* classes < FEW_ELEMENTS && /,
      why: "calls of about so many elements are one block",
    },
    {
      mutated: /^private (?:total|losses|targets|sampleWeight|gradOutput) = 1;$/,
      why: "set before it is read",
    },
  ],
  "src/wasm/text.ts": [
    {
      mutated: /code - \(code < 93 \? 35 : 36\)/,
      why: "92 is a backslash, which no text holds",
    },
  ],
};
