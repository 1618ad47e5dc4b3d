// npm run site [-- --build] [--out build/site] [--port 8080]
//
// Builds the page into a folder of static files with relative URLs, for any host and any subfolder; unless --build is given, serves it, and builds again
// when a source changes.

import { existsSync, readFileSync, watch } from "node:fs";
import { createServer, type Server, type ServerResponse } from "node:http";
import { extname, join, normalize } from "node:path";
import { parseArgs } from "node:util";
import { install, root } from "../../scripts/setup.js"; // importing it sets up the root

install(join(root, "site", "generator"));
install(join(root, "examples", "mnist")); // its digits
const { buildSite } = await import("./build.js");

const TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css",
  ".js": "text/javascript",
  ".svg": "image/svg+xml",
};

const { values: flags } = parseArgs({
  options: {
    build: { type: "boolean", default: false },
    out: { type: "string", default: "build/site" },
    port: { type: "string", default: "8080" },
  },
});

const started = performance.now();
await buildSite(flags.out, { watched: !flags.build });
console.log(`softmargin: the page is in ${flags.out} (${Math.round(performance.now() - started)} ms)`);
if (!flags.build) await serve(Number(flags.port));

/** Serves the folder at the port, or at the next free one, and tells open pages to load again after each build. */
async function serve(port: number): Promise<void> {
  const open = new Set<ServerResponse>();
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url!, "http://localhost");
    if (pathname === "/changes") {
      response.writeHead(200, { "content-type": "text/event-stream" }).write("\n");
      open.add(response);
      response.on("close", () => open.delete(response));
      return;
    }
    const path = normalize(join(flags.out, decodeURIComponent(pathname)));
    const file = path.endsWith("/") ? `${path}index.html` : path;
    if (!file.startsWith(normalize(flags.out)) || !existsSync(file)) response.writeHead(404).end("not here");
    else response.writeHead(200, { "content-type": TYPES[extname(file)] ?? "text/plain" }).end(readFileSync(file));
  });
  console.log(`softmargin: http://localhost:${await listen(server, port)}/   (Ctrl+C ends it)`);

  let timer: NodeJS.Timeout | undefined;
  const build = async (): Promise<void> => {
    try {
      await buildSite(flags.out, { watched: true });
      for (const response of open) response.write("data: built\n\n");
      console.log("softmargin: built again");
    } catch (error) {
      console.error(error instanceof Error ? error.message : error);
    }
  };
  for (const folder of ["site", "dist", "docs", "src"])
    watch(join(root, folder), { recursive: true }, (_, name) => {
      if (name?.includes("node_modules")) return;
      clearTimeout(timer);
      timer = setTimeout(build, 100);
    });
}

async function listen(server: Server, port: number): Promise<number> {
  for (; ; port++) {
    const taken = await new Promise<boolean>((resolve, reject) => {
      server.once("error", (error: NodeJS.ErrnoException) =>
        error.code === "EADDRINUSE" ? resolve(true) : reject(error),
      );
      server.listen(port, "127.0.0.1", () => resolve(false));
    });
    if (!taken) return port;
  }
}
