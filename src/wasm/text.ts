// The bytes of a module as text: printable ASCII without " and \, so that no bundler or minifier has anything to escape, and neither atob nor
// Buffer is needed to read it. A byte keeps its place as one character, or as two if it is one of the rarer values, so gzip still sees the
// instructions: the SIMD build takes 1 % more than as bytes (gzip -9), where hexadecimal takes 11 % and base64 47 %.

/** Characters that stand for a byte of their own; two more say that the next byte is DIGITS or 2 · DIGITS higher. */
const DIGITS = 89;
/** Added to a byte first: opcodes, small numbers and f0 … ff, the most frequent ones, are single characters then. */
const SHIFT = 16;

export function toText(bytes: Uint8Array): string {
  const character = (digit: number): string => String.fromCharCode(digit + (digit < 57 ? 35 : 36));
  let text = "";
  for (const byte of bytes) {
    const value = (byte + SHIFT) % 256;
    const plane = Math.floor(value / DIGITS);
    if (plane > 0) text += character(DIGITS - 1 + plane);
    text += character(value % DIGITS);
  }
  return text;
}

export function fromText(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  let length = 0;
  let plane = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const digit = code - (code < 92 ? 35 : 36);
    if (digit >= DIGITS) plane = (digit - DIGITS + 1) * DIGITS;
    else {
      bytes[length++] = digit + plane - SHIFT;
      plane = 0;
    }
  }
  return bytes.subarray(0, length);
}
