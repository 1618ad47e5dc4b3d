import { report } from "./report.js";

// A server component: this runs in Node.
export default function Page() {
  return <p>{report()}</p>;
}
