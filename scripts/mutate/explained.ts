// Mutants that no test can notice, or none has to, each with the reason. Found by the text of the line, so that they survive edits elsewhere.

export interface Explanation {
  readonly file: string;
  /** The line as it is, trimmed, or a part of it. */
  readonly line: string;
  /** What is changed in it; any change where absent. */
  readonly before?: string;
  readonly why: string;
}

export const explanations: readonly Explanation[] = [];
