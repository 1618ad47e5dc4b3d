// Only where npm run site serves the page: loads it again after a build.
new EventSource("/changes").addEventListener("message", () => location.reload());
