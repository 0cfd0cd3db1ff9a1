import assert from "node:assert/strict";
import { test } from "node:test";

import {
  linkAudience,
  setAccess,
  sharedLink,
} from "../../../../dashboard/assets/protocol/access.js";

/** @import { Access } from "../../../../dashboard/assets/protocol/types.js" */

/** @type {Access} */
const SHARED = {
  refusal: null,
  needs_token: true,
  viewer_token: "look+now",
  address: "http://192.0.2.7:8501/",
};
/** @type {Access} */
const LOOPBACK = { refusal: null, needs_token: false, viewer_token: null, address: null };

/** @type {[title: string, access: Access, own: boolean, page: string, link: string][]} */
const LINKS = [
  [
    "of the server's own machine has the address for others",
    SHARED,
    true,
    "http://localhost:9000/?run=a+b&step=3#x",
    "http://192.0.2.7:8501/?run=a+b&step=3&token=look%2Bnow",
  ],
  [
    "that others have opened keeps its address",
    SHARED,
    true,
    "https://stn.example/vision/?run=r",
    "https://stn.example/vision/?run=r&token=look%2Bnow",
  ],
  [
    "of a page that another server serves keeps its address",
    SHARED,
    false,
    "http://localhost:8501/?run=r",
    "http://localhost:8501/?run=r&token=look%2Bnow",
  ],
  [
    "never has the token for acting",
    { ...SHARED, viewer_token: null },
    true,
    "http://192.0.2.7:8501/?token=act&run=r",
    "http://192.0.2.7:8501/?run=r",
  ],
  [
    "of a server that only its own machine reaches",
    LOOPBACK,
    true,
    "http://127.0.0.1:8501/?run=r",
    "http://127.0.0.1:8501/?run=r",
  ],
];

for (const [title, access, isOwnServer, page, link] of LINKS) {
  test(`a link ${title}`, (context) => {
    context.after(() => setAccess(null));
    setAccess(access);
    assert.equal(sharedLink(page, isOwnServer), link);
  });
}

test("the text names who can open a link", (context) => {
  context.after(() => setAccess(null));
  setAccess(LOOPBACK);
  assert.match(linkAudience("http://localhost:8501/"), /this machine only; behind a tunnel/);
  assert.match(linkAudience("http://stn.example/"), /Everyone who can reach/);
  setAccess(SHARED);
  assert.match(linkAudience("http://stn.example/"), /allows viewing/);
  setAccess({ ...SHARED, viewer_token: null });
  assert.match(linkAudience("http://stn.example/"), /asks for the token/);
});
