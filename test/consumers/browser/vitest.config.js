import { playwright } from "@vitest/browser-playwright";
import { defineConfig } from "vitest/config";

const launchOptions = { executablePath: process.env.CHROMIUM, args: ["--no-sandbox", "--disable-gpu"] };

export default defineConfig({
  test: {
    include: ["browser/*.test.js"],
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      provider: playwright({ launchOptions }),
      instances: [{ browser: "chromium" }],
    },
  },
});
