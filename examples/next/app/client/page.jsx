"use client";

import { useEffect, useState } from "react";
import { report } from "../report.js";

// A client component: the effect runs in the browser only.
export default function Page() {
  const [text, setText] = useState("");
  useEffect(() => setText(report()), []);
  return <p>{text}</p>;
}
