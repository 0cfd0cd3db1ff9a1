// The steps of the walkthrough, in order: the text of each, which figure shows it, and where it is in the paper and in
// the code.

import { ClassifierFigure } from "./classifier-figure.js";
import { FamiliesFigure } from "./families-figure.js";
import { GradientFigure } from "./gradient-figure.js";
import { GridFigure } from "./grid-figure.js";
import { LearningFigure } from "./learning-figure.js";
import { LocalisationFigure } from "./localisation-figure.js";
import { SamplingFigure } from "./sampling-figure.js";
import { ThetaFigure } from "./theta-figure.js";

/** @import { Figure, WalkthroughContext } from "./walkthrough-picture.js" */

/**
 * A question that is shown before the figure.
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
 * @property {(context: WalkthroughContext) => Figure} create
 */

/** @type {Step[]} */
export const STEPS = [
  {
    id: "classifier",
    name: "Classifier",
    title: "Classification without a transformer",
    section: "1",
    code: {
      path: "models/architectures/compact.py",
      line: "        nn.MaxPool2d(2),  # 32x7x7, before the normalisation, to make that cheaper",
    },
    sentences: [
      "Drag the digit, or move the slider: pooling tolerates a shift of a few pixels, and no more.",
      "The ST-CNN first finds the digit, so its classifier gets almost the same input until the edge cuts the digit.",
    ],
    create: (context) => new ClassifierFigure(context),
  },
  {
    id: "theta",
    name: "Theta",
    title: "The sampled region: theta",
    section: "3.2",
    code: { path: "models/families.py", line: "    matrix = theta.view(-1, 2, 3)" },
    sentences: [
      "Theta, θ, is six numbers: a matrix that defines which region of the input the output shows.",
      "Move the sliders, edit the matrix, or drag the region by its corners: all three change the same θ.",
    ],
    question: {
      text:
        "The region's scale is halved, from 60% to 30%. What happens to the digit in the output?",
      answers: ["It becomes twice as large", "It becomes half as large", "It stays as it is"],
      right: 0,
      explanation:
        "Theta maps the output's coordinates to the input's. A smaller region is spread over the same " +
        "number of output pixels, so everything in it grows: a scale below 1 zooms in.",
    },
    create: (context) => new ThetaFigure(context),
  },
  {
    id: "grid",
    name: "Grid",
    title: "The parameterised sampling grid",
    section: "3.2",
    code: {
      path: "models/transformer.py",
      line: "        points = self.family.apply(theta, basis, width / height)",
    },
    sentences: [
      "Every output pixel samples the input at one point: its own coordinates, multiplied by θ.",
      "Point at a pixel of the output to see its line and its numbers; arrow keys move to the next pixel.",
    ],
    create: (context) => new GridFigure(context),
  },
  {
    id: "sampling",
    name: "Sampling",
    title: "Differentiable image sampling",
    section: "3.3",
    code: {
      path: "models/grid.py",
      line: '        images, grid, mode="bilinear", padding_mode=padding_mode, align_corners=False',
    },
    sentences: [
      "A sampling point falls between pixels, so the sampler mixes the four around it, each by the area that a unit square about the point shares with it.",
      "Drag the point: the value changes without a jump, and its slope gives the direction in which the point should move.",
    ],
    create: (context) => new SamplingFigure(context),
  },
  {
    id: "gradient",
    name: "Gradient",
    title: "The gradient of the grid",
    section: "3.3",
    code: {
      path: "models/transformer.py",
      line:
        "            return Warp(theta, points, self._sample(images, samples, self.padding), samples)",
    },
    sentences: [
      "Because sampling is differentiable, the gradient of the loss gives the direction in which each sampling point should move; together they determine how θ should change.",
      "Take one step on θ, or twenty, and watch the region move to the digit, although the loss contains no position.",
    ],
    question: {
      text: "The region lies outside the image. In which direction does the loss move it?",
      answers: ["Back to the digit", "Further away", "In no direction: there is no gradient"],
      right: 2,
      explanation:
        "Outside the image every sampled value is 0 wherever the point lies, so its slope is 0. " +
        "Watch the region leave: there is no arrow, the loss stays as it is over twenty steps, and none of them " +
        "brings the region back.",
    },
    create: (context) => new GradientFigure(context),
  },
  {
    id: "localisation",
    name: "Localisation",
    title: "The localisation network",
    section: "3.1",
    code: { path: "models/architectures/compact.py", line: "        maps = self.maps(images)" },
    sentences: [
      "A small network makes θ from the picture: its feature maps, stage by stage, find where the digit is.",
      "Change the picture: the digit moves, its maps move with it, and θ follows as far as the network has learned.",
    ],
    question: {
      text: "The digit moves right. Which numbers of θ change most?",
      answers: ["θ 1,1 and θ 2,2, the scale", "θ 1,3, the shift along x", "None of them"],
      right: 1,
      explanation:
        "Watch the digit move: the region follows it, so the third number of the upper row grows. The others " +
        "change a little, because no localisation network is perfect.",
    },
    create: (context) => new LocalisationFigure(context),
  },
  {
    id: "families",
    name: "Families",
    title: "Other families, from one number to a spline",
    section: "3.2",
    code: { path: "models/families.py", line: "    return points + weights @ shifts" },
    sentences: [
      "θ need not be a 2×3 matrix: a family of one number can only rotate, one of fifty bends the region at every control point.",
      "The sampler is the same for all of them, and so is its gradient; transformers can also be in series, or sample several times.",
    ],
    create: (context) => new FamiliesFigure(context),
  },
  {
    id: "learning",
    name: "Learning",
    title: "What the network learns: to find a sign, and to follow it",
    section: "3.4",
    code: { path: "models/transformer.py", line: "        nn.init.zeros_(self.weight)" },
    sentences: [
      "An untrained transformer samples the whole image; tenth by tenth of the first epoch the regions find the signs and close in on them, though the labels do not contain where these are.",
      "Then the signs move: each region follows its sign, and the output stands almost still.",
    ],
    create: (context) => new LearningFigure(context),
  },
];
