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
export type { MeanOver, Reduction } from "./functions/reduction.js";
export type {
  BinaryCrossEntropyOptions,
  BinaryTargets,
  ClassIndices,
  ClassProbabilities,
  CrossEntropyOptions,
  Given,
  GradOptions,
  HingeOptions,
  LogitsLike,
  Loss,
  LossOptions,
  NumberList,
  Out,
  OutOptions,
  Result,
  SameKind,
  ShapeOptions,
  TemperatureOptions,
} from "./options.js";
