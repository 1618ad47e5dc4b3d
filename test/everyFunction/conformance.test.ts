import { ops } from "../catalogue/functions.js";
import { conformance } from "./conformance.js";

conformance(ops.filter(({ name }) => !/crossEntropy|hinge/i.test(name)));
