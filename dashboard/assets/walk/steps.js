// The steps of the walk, in order: what each says, which figure shows it, and where it is in the paper and in
// the code.

import { ThetaFigure } from "./theta-figure.js";

/** @import { Figure, WalkContext } from "./walk-picture.js" */

/**
 * A question that stands before the figure.
 * @typedef {object} Question
 * @property {string} text
 * @property {string[]} answers
 * @property {number} right index of the right answer
 * @property {string} explanation
 */

/**
 * @typedef {object} Step
 * @property {string} id in addresses
 * @property {string} name in the list of steps
 * @property {string} title
 * @property {string} section of the paper
 * @property {{path: string, line: string}} code a module and the text of its line that does the step
 * @property {[string, string]} sentences
 * @property {Question} [question]
 * @property {(context: WalkContext) => Figure} create
 */

/** @type {Step[]} */
export const STEPS = [
  {
    id: "theta",
    name: "Theta",
    title: "Where to look: theta",
    section: "3.2",
    code: { path: "models/families.py", line: "    matrix = theta.view(-1, 2, 3)" },
    sentences: [
      "Theta, θ, is six numbers: a matrix that says which region of the input the output shows.",
      "Move the sliders, edit the matrix, or drag the region by its corners: it is one thing, held in three ways.",
    ],
    question: {
      text:
        "The region's scale is halved, from 0.6 to 0.3. What happens to the digit in the output?",
      answers: ["It becomes twice as large", "It becomes half as large", "It stays as it is"],
      right: 0,
      explanation:
        "Theta maps the output's coordinates to the input's. A smaller region is spread over the same " +
        "number of output pixels, so everything in it grows: a scale below 1 zooms in.",
    },
    create: (context) => new ThetaFigure(context),
  },
];
