// A round: every task answered once, the answers merged in the order of the tasks. What has been answered is in a journal, so that a round that was
// interrupted goes on where it stopped.
//
//   the journal: a line with what the round is, and a line for each answer, as workers print them: { "id", "partial" }

import { appendFileSync, existsSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { fromText, merge, type Partial } from "./partial.js";
import { ShardError } from "./shard.js";
import type { Answer, Task } from "./worker.js";

/** Who has tasks worked on. */
export interface Engine {
  /** Has each task worked on, at least once, and passes the answers on as they come, in any order. What `answered` throws ends it. */
  run(tasks: readonly Task[], answered: (answer: Answer) => void): Promise<void>;
  close(): Promise<void>;
}

/** Called after every answer: how many there are now. */
export type Progress = (answers: number) => void;

export async function round(
  engine: Engine,
  tasks: readonly Task[],
  journalPath: string,
  progress: Progress = () => {},
): Promise<Partial> {
  const journal = openJournal(journalPath, tasks);
  progress(journal.answers.size);
  const left = tasks.filter(({ id }) => !journal.answers.has(id));
  if (left.length > 0) {
    await engine.run(left, (answer) => {
      journal.add(answer);
      progress(journal.answers.size);
    });
  }
  return mergeAll(tasks, journal.answers);
}

/** The sums of all tasks, in their order. */
export function mergeAll(tasks: readonly Task[], answers: ReadonlyMap<string, string>): Partial {
  let total: Partial | undefined;
  for (const { id } of tasks) {
    const answer = answers.get(id);
    if (answer === undefined) throw new Error(`${id}: has no answer`);
    total = total === undefined ? fromText(answer) : merge(total, fromText(answer));
  }
  if (total === undefined) throw new Error("there are no shards");
  return total;
}

/** Files an answer by its id. A second one for the same task changes nothing, and must be the same. */
export function file(answers: Map<string, string>, answer: Answer): boolean {
  if ("error" in answer) throw new ShardError(answer.error);
  const known = answers.get(answer.id);
  if (known !== undefined && known !== answer.partial) throw new Error(`${answer.id}: two workers came to other bits`);
  answers.set(answer.id, answer.partial);
  return known === undefined;
}

function openJournal(path: string, tasks: readonly Task[]) {
  const answers = new Map<string, string>();
  const title = JSON.stringify({ tasks });
  if (existsSync(path)) {
    const text = readFileSync(path, "utf8");
    const end = text.lastIndexOf("\n") + 1;
    const [first, ...lines] = text.slice(0, end).split("\n");
    if (first !== title) throw new Error(`${path}: belongs to other tasks; delete it, or give another --run`);
    for (const line of lines) if (line !== "") file(answers, JSON.parse(line) as Answer);
    // What was being written when it stopped.
    truncateSync(path, Buffer.byteLength(text.slice(0, end)));
  } else writeFileSync(path, `${title}\n`);
  return {
    answers,
    add(answer: Answer) {
      if (file(answers, answer)) appendFileSync(path, `${JSON.stringify(answer)}\n`);
    },
  };
}

/** One task for each `size` shards: a branch of the tree that adds them up. It is part of what makes the bits. */
export function tasksOf(shards: readonly string[], size: number, model?: Task["model"]): Task[] {
  const tasks: Task[] = [];
  for (let i = 0; i < shards.length; i += size)
    tasks.push({ id: shards[i]!, shards: shards.slice(i, i + size), ...(model && { model }) });
  return tasks;
}
