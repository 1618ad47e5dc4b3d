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
  Given,
  GradOptions,
  HingeOptions,
  LayerCrossEntropyOptions,
  LayerGradients,
  LayerGradOptions,
  LayerHingeOptions,
  LayerLossOptions,
  LayerOptions,
  LinearOptions,
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
