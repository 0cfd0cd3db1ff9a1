// The live end of a run: one WebSocket that mends itself. Knows no canvas.
//
// The server sends the newest frame whenever there is a newer one and a credit for it; two are
// granted at the start, one more after each paint, so that a busy page is sent fewer frames
// instead of old ones.

// The server is heard at least every two seconds; after three times that a connection is dead.
const SILENCE = 6000;
const FIRST_WAIT = 250;
const LONGEST_WAIT = 10_000;

/**
 * Milliseconds to wait before attempt number `tries` (0 the first) to connect again. Half of it
 * is left to chance, so that many pages do not come back at once.
 */
export function backoff(tries, chance) {
  const wait = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** tries);
  return wait * (0.5 + 0.5 * chance);
}

export class Stream {
  /**
   * @param {URL} url
   * @param {{run: Function, metrics: Function, frame: Function,
   *   connection: Function}} on what to call with each message, with each frame's bytes, and with
   *   true or false when the connection stands or is lost
   */
  constructor(url, on) {
    this.url = url;
    this.on = on;
    this.lastStep = null;
    this.following = true;
    this.tries = 0;
    this.closed = false;
    this.wake = () => this.#wake();
    for (const event of ["online", "focus", "pageshow"]) addEventListener(event, this.wake);
    document.addEventListener("visibilitychange", this.wake);
    this.#connect();
  }

  /** Asks to be sent frames, or not to be. Kept across connections. */
  follow(wanted) {
    if (wanted === this.following) return;
    this.following = wanted;
    this.#tellFollowing();
  }

  /** Grants one more frame: one has been painted, or was not wanted any more. */
  credit() {
    this.#send({ type: "credit", frames: 1 });
  }

  close() {
    this.closed = true;
    clearTimeout(this.timer);
    for (const event of ["online", "focus", "pageshow"]) removeEventListener(event, this.wake);
    document.removeEventListener("visibilitychange", this.wake);
    this.#drop();
  }

  #connect() {
    clearTimeout(this.timer);
    const socket = new WebSocket(this.url);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    this.asked = false; // the server sends nothing until it is asked to
    socket.onopen = () => this.#open();
    socket.onmessage = ({ data }) => this.#hear(socket, data);
    socket.onclose = () => this.#lose(socket);
    this.#listen();
  }

  #open() {
    this.#send({ type: "hello", last_step: this.lastStep });
    this.#tellFollowing();
  }

  #hear(socket, data) {
    if (socket !== this.socket) return;
    if (!this.connected) this.#setConnected(true);
    this.tries = 0;
    this.#listen();
    if (typeof data !== "string") this.on.frame(data);
    else this.#read(JSON.parse(data));
  }

  #read({ type, ...message }) {
    if (type === "run") this.on.run(message);
    else if (type === "metrics") this.on.metrics(message);
    else if (type === "error") console.warn(`stnscope: ${message.detail}`);
    // A heartbeat has done its work by having come.
    else if (type !== "heartbeat") console.warn(`stnscope: a message of type ${type}?`);
  }

  #lose(socket) {
    if (socket !== this.socket || this.closed) return;
    this.#drop();
    this.#setConnected(false);
    this.timer = setTimeout(() => this.#connect(), backoff(this.tries++, Math.random()));
  }

  // Starts waiting anew for the next message.
  #listen() {
    clearTimeout(this.timer);
    const socket = this.socket;
    this.timer = setTimeout(() => this.#lose(socket), SILENCE);
  }

  #drop() {
    const socket = this.socket;
    this.socket = null;
    socket?.close();
  }

  #setConnected(connected) {
    this.connected = connected;
    this.on.connection(connected);
  }

  #wake() {
    this.#tellFollowing();
    if (document.hidden || this.closed || this.socket) return;
    this.tries = 0;
    this.#connect();
  }

  #tellFollowing() {
    const wanted = this.following && !document.hidden;
    if (this.socket?.readyState !== WebSocket.OPEN || wanted === this.asked) return;
    this.asked = wanted;
    this.#send({ type: wanted ? "follow" : "hold" });
  }

  #send(message) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }
}
