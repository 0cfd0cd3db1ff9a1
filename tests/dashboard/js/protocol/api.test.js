import assert from "node:assert/strict";
import { test } from "node:test";

import { createApi, socketAddress } from "../../../../dashboard/assets/protocol/api.js";

/** @type {[page: string, base: string, address: string][]} */
const ADDRESSES = [
  ["https://lab.example/?run=x", "", "https://lab.example/api/runs/r/recording"],
  ["https://lab.example/vision/?run=x", "", "https://lab.example/vision/api/runs/r/recording"],
  ["http://localhost:8501/", "http://localhost:8502", "http://localhost:8502/api/runs/r/recording"],
  ["http://localhost/", "http://localhost/stn//", "http://localhost/stn/api/runs/r/recording"],
];

for (const [page, base, address] of ADDRESSES) {
  test(`requests of ${page} with base "${base}" are sent to ${address}`, (context) => {
    const before = Object.getOwnPropertyDescriptor(globalThis, "location");
    Object.defineProperty(globalThis, "location", { value: new URL(page), configurable: true });
    context.after(() => {
      if (before) Object.defineProperty(globalThis, "location", before);
    });
    const api = createApi(base);
    assert.equal(String(api.recordingUrl("r")), address);
    assert.equal(
      socketAddress(new URL(address)).protocol,
      address.startsWith("https") ? "wss:" : "ws:",
    );
  });
}
