// One after the other, in this process.

import type { Engine } from "../round.js";
import { work } from "../worker.js";

export const inProcess: Engine = {
  async run(tasks, answered) {
    for (const task of tasks) answered(await work(task));
  },
  close: async () => {},
};
