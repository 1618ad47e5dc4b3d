// The types that users may want to name.

export type {
  Backend,
  CrossEntropyForm,
  Functions,
  HingeForm,
  Softmargin,
  Workspace,
  WorkspaceOptions,
} from "./api.js";
export type { MeanOver, Reduction } from "./functions/reduction.js";
export type {
  ClassIndices,
  ClassProbabilities,
  CrossEntropyOptions,
  Factors,
  Float16ArrayLike,
  Given,
  GradOptions,
  HingeOptions,
  IndicesOptions,
  LogitsLike,
  Loss,
  LossOptions,
  NumberList,
  OneRowOptions,
  Out,
  OutOptions,
  Result,
  SameKind,
  SampleOptions,
  ShapeOptions,
  TemperatureOptions,
  TopKOptions,
} from "./options.js";
