import assert from "node:assert/strict";
import { test } from "node:test";

import { NetworkSession } from "../../../../dashboard/assets/picture/network-session.js";
import { PendingRequest } from "../../../../dashboard/assets/protocol/transform-stream.js";

/** A server that has lost its pictures, whose responses the test gives one by one. */
class Server {
  constructor() {
    /** @type {any[]} */
    this.uploads = [];
    /** @type {any[]} */
    this.requests = [];
    /** @type {any} */
    this.on = null;
  }

  transform() {
    return new Promise((resolve) => this.uploads.push(resolve));
  }

  /** @param {any} on */
  openTransformStream(on) {
    this.on = on;
    const pending = new PendingRequest();
    return {
      get number() {
        return pending.number;
      },
      send: (/** @type {any} */ request) => {
        this.requests.push(pending.next(request));
        return pending.number;
      },
      settle: (/** @type {number} */ number) => pending.settle(number),
    };
  }

  /** @param {string} picture key of the picture */
  finishUpload(picture) {
    this.uploads.shift()({ info: { classes: [], picture } });
  }

  /** @param {number} request */
  refuse(request) {
    this.on.error("The picture is no longer kept.", request, "picture");
  }

  /** @param {number} request */
  respond(request) {
    this.on.frame({ info: { classes: [], request } });
  }
}

const settled = () => new Promise((resolve) => setTimeout(resolve));

async function openSession() {
  const server = new Server();
  const session = new NetworkSession(/** @type {any} */ (server), "weights");
  const opened = session.open(new Blob());
  server.finishUpload("first");
  await opened;
  return { server, session };
}

test("a request for a picture that the server no longer keeps is sent again with the picture", async () => {
  const { server, session } = await openSession();
  const response = session.request({ corners: { st: [[1]] } });
  server.refuse(1);
  await settled();
  server.finishUpload("second");
  await settled();
  assert.deepEqual(server.requests.at(-1), {
    type: "transform",
    request: 2,
    corners: { st: [[1]] },
    picture: "second",
    weights: "weights",
  });
  server.respond(2);
  assert.equal((await response)?.info.request, 2);
});

test("a request made while the picture is uploaded again is not superseded by the earlier one", async () => {
  const { server, session } = await openSession();
  const earlier = session.request({ corners: { st: [[1]] } });
  server.refuse(1);
  await settled();
  const newer = session.request({ corners: { st: [[2]] } });
  server.finishUpload("second");
  await settled();
  server.refuse(2);
  await settled();
  server.finishUpload("third");
  await settled();
  const last = server.requests.at(-1);
  assert.deepEqual(last.corners, { st: [[2]] });
  server.respond(last.request);
  assert.equal((await newer)?.info.request, last.request);
  assert.equal(await earlier, null);
});
