// The types that users may want to name.

export type {
  Backend,
  BinaryCrossEntropyForm,
  CrossEntropyForm,
  Functions,
  HingeForm,
  Softmargin,
  Workspace,
  WorkspaceOptions,
} from "./api.js";
export type { LossParts, MeanOver, Reduction } from "./functions/reduction.js";
export type * from "./options.js";
