// The parameterised sampling grid: where in the input each output pixel samples; why the warp is
// an inverse one; and what `align_corners` changes.

import { AlignCornersPart } from "./align-corners-part.js";
import { ForwardPart } from "./forward-part.js";
import { PartsFigure } from "./parts-figure.js";
import { PointPart } from "./point-part.js";
import { readTheta, thetaQuery } from "./theta-query.js";

/** @import { WalkthroughContext } from "./walkthrough-picture.js" */

export class GridFigure extends PartsFigure {
  /** @param {WalkthroughContext} context */
  constructor(context) {
    const { picture } = context;
    super(context, (onChange) => [
      { id: "point", title: "Sampling point", part: new PointPart(picture, onChange) },
      { id: "backwards", title: "Inverse and forward warp", part: new ForwardPart(picture) },
      { id: "align", title: "align_corners", part: new AlignCornersPart(onChange) },
    ]);
  }

  /** @override */
  query() {
    return { ...thetaQuery(this.picture), ...super.query() };
  }

  /**
   * @override
   * @param {URLSearchParams} query
   */
  restore(query) {
    super.restore(query);
    const theta = readTheta(query);
    if (theta) this.picture.setTheta(theta);
  }
}
