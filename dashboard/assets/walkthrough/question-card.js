// A question that is answered before a figure is shown.

import { element, setText } from "../ui/dom.js";

/** @import { Question } from "./steps.js" */

export class QuestionCard {
  /**
   * @param {Question} question
   * @param {HTMLElement} covered is blurred until the question is answered, or skipped
   * @param {() => void} onAnswer called to play the right answer, after each choice
   */
  constructor({ text, answers, right, explanation }, covered, onAnswer) {
    this.right = right;
    this.onAnswer = onAnswer;
    this.explanation = explanation;
    this.covered = covered;
    this.buttons = answers.map((answer, index) =>
      element(
        "button.stn-button",
        { type: "button", onclick: () => this.#answer(index) },
        answer,
      )
    );
    this.skip = element(
      "button.stn-walkthrough-skip",
      { type: "button", onclick: () => this.reveal() },
      "Skip the question",
    );
    this.verdict = element("p.stn-walkthrough-verdict", { aria: { live: "polite" } });
    this.replay = element(
      "button.stn-walkthrough-skip",
      { type: "button", hidden: true, onclick: () => this.onAnswer() },
      "Replay",
    );
    this.element = element(
      "div.stn-walkthrough-question",
      {},
      element("p", {}, element("strong", {}, "Predict first. "), text),
      element("div.stn-walkthrough-answers", {}, ...this.buttons, this.skip, this.replay),
      this.verdict,
    );
    this.#cover(true);
  }

  /** Show the figure without an answer. */
  reveal() {
    this.#cover(false);
  }

  /** @param {number} index */
  #answer(index) {
    this.buttons.forEach((button, each) => {
      button.setAttribute("aria-pressed", String(each === index));
      if (each === this.right) button.dataset.verdict = "right";
      else if (each === index) button.dataset.verdict = "wrong";
    });
    setText(this.verdict, `${index === this.right ? "Yes." : "No."} ${this.explanation}`);
    this.reveal();
    this.replay.hidden = false;
    this.onAnswer();
  }

  /** @param {boolean} isCovered */
  #cover(isCovered) {
    this.covered.toggleAttribute("data-covered", isCovered);
    this.covered.inert = isCovered;
    this.skip.hidden = !isCovered;
  }
}
