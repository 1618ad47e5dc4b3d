// How a panel holds its rows: see panel.ts.

export type Layout = i32;

export const NARROW: Layout = 0;
export const ALONE: Layout = 1;
export const WIDE: Layout = 2;
