// A photo from the machine's camera. The browser asks for permission only when the camera is opened.

import { element, setText } from "../ui/dom.js";

const UNAVAILABLE =
  "This browser offers no camera here: it needs a page on this machine or with TLS, and a permission.";

export class Camera {
  /** @param {(photo: Blob) => void} onPhoto */
  constructor(onPhoto) {
    this.onPhoto = onPhoto;
    /** @type {MediaStream | null} */
    this.stream = null;
    this.video = element("video.stn-camera", { muted: true, playsInline: true });
    this.capture = element("button.stn-button.stn-small", { type: "button" }, "Take a photo");
    this.capture.onclick = () => this.#capture();
    this.message = element("p.stn-muted", { aria: { live: "polite" } });
    this.element = element("div", {}, this.video, this.capture, this.message);
  }

  /** Show the camera's picture. */
  async open() {
    setText(this.message, "");
    this.capture.disabled = true;
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({ video: true });
      this.video.srcObject = this.stream;
      await this.video.play();
      this.capture.disabled = false;
    } catch {
      this.close();
      setText(this.message, UNAVAILABLE);
    }
  }

  /** Switch the camera off. */
  close() {
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.stream = null;
    this.video.srcObject = null;
  }

  /** Take the square in the middle: networks classify one object. */
  #capture() {
    const { videoWidth, videoHeight } = this.video;
    const side = Math.min(videoWidth, videoHeight);
    if (!side) return;
    const canvas = element("canvas", { width: side, height: side });
    const [left, top] = [(videoWidth - side) / 2, (videoHeight - side) / 2];
    canvas.getContext("2d")?.drawImage(this.video, left, top, side, side, 0, 0, side, side);
    canvas.toBlob((blob) => blob && this.onPhoto(blob));
  }
}
