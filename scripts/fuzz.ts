// npm run fuzz -- [--minutes N] [--seed S] [--only "part of a property's name"] [--backend simd] [--path P]
//
// The properties of the tests (test/everyFunction/properties.ts: exact ones, and every function of every backend against the reference) with one seed
// after another, until the time is up. Prints what was tried; for a failure, the command that repeats it.

import { parseArgs } from "node:util";
import fc from "fast-check";
import { type Api, backends } from "../test/catalogue/backends.js";
import { properties } from "../test/everyFunction/properties.js";

const { values: options } = parseArgs({
  options: {
    minutes: { type: "string", default: "1" },
    seed: { type: "string", default: String(Date.now() % 2 ** 31) },
    only: { type: "string", default: "" },
    backend: { type: "string" },
    path: { type: "string" },
  },
});
const CASES = 100;
const MOST_FAILURES = 10;

const calls = new Map<string, number>();
const cases = new Map<string, number>();
const failures: string[] = [];
const count = (counts: Map<string, number>, key: string, n = 1) => counts.set(key, (counts.get(key) ?? 0) + n);
const total = (counts: Map<string, number>) => [...counts.values()].reduce((a, b) => a + b, 0);

/** The same functions, and a count of how often each is called. */
function counted(api: Api): Api {
  const entries = Object.entries(api).map(([name, value]) => {
    if (typeof value !== "function") return [name, value];
    const call = (...args: unknown[]): unknown => {
      count(calls, name);
      return Reflect.apply(value, api, args);
    };
    return [name, call];
  });
  return Object.fromEntries(entries);
}

const subjects = properties
  .filter(({ name }) => name.includes(options.only))
  .flatMap(({ name, on, of }) =>
    backends
      .filter((backend) => backend.runs && (options.backend ?? backend.name) === backend.name)
      .filter((backend) => on?.includes(backend.name) ?? true)
      .map((backend) => ({ name, backend, property: of({ ...backend, api: counted(backend.api) }) })),
  );

function check({ name, backend, property }: (typeof subjects)[number], seed: number): void {
  const details = fc.check(property, {
    seed,
    numRuns: CASES,
    ...(options.path === undefined ? {} : { path: options.path }),
  });
  count(cases, backend.name, details.numRuns);
  if (!details.failed) return;
  const path = details.counterexamplePath;
  const command = `npm run fuzz -- --only ${JSON.stringify(name)} --backend ${backend.name} --seed ${seed} --path ${path}`;
  const cause = details.errorInstance instanceof Error ? details.errorInstance.message : String(details.errorInstance);
  failures.push(command);
  console.log(
    `\n${backend.name}: ${name}\n${fc.stringify(details.counterexample)}\n${cause}\nrepeat with: ${command}\n`,
  );
}

const first = Number(options.seed);
console.log(`seed ${first}, ${subjects.length} properties × backends, ${options.minutes} minutes`);
const end = performance.now() + Number(options.minutes) * 60_000;
let seed = first;
do {
  for (const subject of subjects) {
    check(subject, seed);
    if (options.path !== undefined || performance.now() > end) break;
  }
  seed++;
} while (options.path === undefined && performance.now() < end && failures.length < MOST_FAILURES);

const list = (counts: Map<string, number>) => [...counts].map(([key, n]) => `  ${key.padEnd(18)}${n}`).join("\n");
console.log(
  `${total(cases)} cases\n${list(cases)}\n${total(calls)} calls\n${list(calls)}\n${failures.length} failures`,
);
process.exitCode = failures.length > 0 ? 1 : 0;
