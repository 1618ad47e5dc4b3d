// Node: in a worker, which shares nothing with this thread.
import { Worker } from "node:worker_threads";

new Worker(new URL("./module.js", import.meta.url));
