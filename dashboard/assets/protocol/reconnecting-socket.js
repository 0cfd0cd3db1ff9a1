// One WebSocket that mends itself. Knows neither what is said on it nor a canvas.

// The server is heard at least every two seconds; after three times that a connection is dead.
const SILENCE = 6000;
const FIRST_WAIT = 250;
const LONGEST_WAIT = 10_000;
const BACK = ["online", "focus", "pageshow"];

/**
 * Milliseconds to wait before attempt number `tries` (0 the first) to connect again. Half of it
 * is left to chance, so that many pages do not come back at once.
 */
// Exported for tests.
export function backoff(tries, chance) {
  const wait = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** tries);
  return wait * (0.5 + 0.5 * chance);
}

export class Connection {
  /**
   * @param {URL} url
   * @param {{open: Function, message: Function, frame: Function, state: Function, wake?: Function}} on
   *   what to call when a socket has opened, with each message, with each frame's bytes, with true
   *   or false when the connection stands or is lost, and when the page may have been away
   */
  constructor(url, on) {
    this.url = url;
    this.on = on;
    this.tries = 0;
    this.closed = false;
    this.wake = () => this.#wake();
    for (const event of BACK) addEventListener(event, this.wake);
    document.addEventListener("visibilitychange", this.wake);
    this.#connect();
  }

  /** Whether something can be said at once. */
  get open() {
    return this.socket?.readyState === WebSocket.OPEN;
  }

  /** Says something, or nothing where the connection is lost. */
  send(message) {
    if (this.open) this.socket.send(JSON.stringify(message));
  }

  close() {
    this.closed = true;
    clearTimeout(this.timer);
    for (const event of BACK) removeEventListener(event, this.wake);
    document.removeEventListener("visibilitychange", this.wake);
    this.#drop();
  }

  #connect() {
    clearTimeout(this.timer);
    const socket = new WebSocket(this.url);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    socket.onopen = () => this.on.open();
    socket.onmessage = ({ data }) => this.#hear(socket, data);
    socket.onclose = () => this.#lose(socket);
    this.#listen();
  }

  #hear(socket, data) {
    if (socket !== this.socket) return;
    if (!this.connected) this.#setConnected(true);
    this.tries = 0;
    this.#listen();
    if (typeof data !== "string") this.on.frame(data);
    else this.on.message(JSON.parse(data));
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
    this.on.state(connected);
  }

  #wake() {
    this.on.wake?.();
    if (document.hidden || this.closed || this.socket) return;
    this.tries = 0;
    this.#connect();
  }
}
