// Other families of transformers, several transformers one after the other, and one that reads a row.

import { FamilyPart } from "./family-part.js";
import { PartsFigure } from "./parts-figure.js";
import { RowPart } from "./row-part.js";
import { SeriesPart } from "./series-part.js";

/** @import { WalkthroughContext } from "./walkthrough-picture.js" */

export class FamiliesFigure extends PartsFigure {
  /** @param {WalkthroughContext} context */
  constructor(context) {
    const { api, picture } = context;
    super(context, (onChange) => [
      { id: "families", title: "Families", part: new FamilyPart(api, picture, onChange) },
      { id: "several", title: "Several transformers", part: new SeriesPart(api, onChange) },
      { id: "row", title: "Recurrent", part: new RowPart(api, onChange) },
    ]);
  }
}
