// Makes a browser refuse to compile and instantiate more than 4 kB synchronously, as Chrome did on its main thread up to version 114.
for (const [name, what] of Object.entries({ Module: "Compile", Instance: "Instance" })) {
  WebAssembly[name] = class extends WebAssembly[name] {
    constructor() {
      throw new RangeError(
        `WebAssembly.${what} is disallowed on the main thread, if the buffer size is larger than 4KB.`,
      );
    }
  };
}
