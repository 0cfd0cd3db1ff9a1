// A WebSocket that reconnects, for messages of any kind.

// The server sends something at least every two seconds; after three times that a connection is lost.
const MAX_SILENCE_MILLISECONDS = 6000;
// A page that was busy or asleep for so long has messages waiting, and runs its timers before them.
const WAITING_MESSAGES_MILLISECONDS = 1000;
const MIN_DELAY_MILLISECONDS = 250;
const MAX_DELAY_MILLISECONDS = 10_000;
const WAKE_EVENTS = ["online", "focus", "pageshow"];

/**
 * Return the milliseconds before attempt number `attempt` (0 the first) to reconnect. Half of it is random, so
 * that many pages do not reconnect at once. Exported for tests.
 * @param {number} attempt
 * @param {number} random in [0, 1)
 */
export function backoff(attempt, random) {
  const delay = Math.min(MAX_DELAY_MILLISECONDS, MIN_DELAY_MILLISECONDS * 2 ** attempt);
  return delay * (0.5 + 0.5 * random);
}

/**
 * @typedef {object} SocketCallbacks
 * @property {() => void} open a socket has opened
 * @property {(message: any) => void} message a JSON message was received
 * @property {(bytes: ArrayBuffer) => void} frame a frame was received
 * @property {(isConnected: boolean) => void} connection the connection was made or lost
 * @property {() => void} [wake] the page may have been hidden or offline
 */

export class ReconnectingSocket {
  /**
   * @param {URL} url
   * @param {SocketCallbacks} on
   */
  constructor(url, on) {
    this.url = url;
    this.on = on;
    this.attempts = 0;
    this.isClosed = false;
    this.isConnected = false;
    /** @type {WebSocket | null} */
    this.socket = null;
    this.wake = () => this.#wake();
    for (const event of WAKE_EVENTS) addEventListener(event, this.wake);
    document.addEventListener("visibilitychange", this.wake);
    this.#connect();
  }

  get isOpen() {
    return this.socket?.readyState === WebSocket.OPEN;
  }

  /**
   * Send a message; nothing is sent while the connection is lost.
   * @param {object} message
   */
  send(message) {
    if (this.isOpen) this.socket?.send(JSON.stringify(message));
  }

  close() {
    this.isClosed = true;
    clearTimeout(this.timer);
    for (const event of WAKE_EVENTS) removeEventListener(event, this.wake);
    document.removeEventListener("visibilitychange", this.wake);
    this.#closeSocket();
  }

  #connect() {
    clearTimeout(this.timer);
    const socket = new WebSocket(this.url);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    socket.onopen = () => this.on.open();
    socket.onmessage = ({ data }) => this.#receive(socket, data);
    socket.onclose = () => this.#reconnectLater(socket);
    this.#restartSilenceTimer(socket);
  }

  /**
   * @param {WebSocket} socket
   * @param {string | ArrayBuffer} data
   */
  #receive(socket, data) {
    if (socket !== this.socket) return;
    if (!this.isConnected) this.#setConnected(true);
    this.attempts = 0;
    this.#restartSilenceTimer(socket);
    if (typeof data !== "string") this.on.frame(data);
    else this.on.message(JSON.parse(data));
  }

  /** @param {WebSocket} socket that was closed or is silent */
  #reconnectLater(socket) {
    if (socket !== this.socket || this.isClosed) return;
    this.#closeSocket();
    this.#setConnected(false);
    this.timer = setTimeout(() => this.#connect(), backoff(this.attempts++, Math.random()));
  }

  /** @param {WebSocket} socket */
  #restartSilenceTimer(socket) {
    clearTimeout(this.timer);
    const lose = () => this.#reconnectLater(socket);
    this.timer = setTimeout(() => {
      this.timer = setTimeout(lose, WAITING_MESSAGES_MILLISECONDS);
    }, MAX_SILENCE_MILLISECONDS);
  }

  #closeSocket() {
    const { socket } = this;
    this.socket = null;
    socket?.close();
  }

  /** @param {boolean} isConnected */
  #setConnected(isConnected) {
    this.isConnected = isConnected;
    this.on.connection(isConnected);
  }

  #wake() {
    this.on.wake?.();
    if (document.hidden || this.isClosed || this.socket) return;
    this.attempts = 0;
    this.#connect();
  }
}
