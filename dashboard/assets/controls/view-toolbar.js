// The choice of what fills the stage, and of what is drawn on it.

import { element } from "../ui/dom.js";
import { LAYERS, toggleLayer } from "../ui/view-state.js";

const SIGHT_WORDS = {
  probes: ["Probes", "All probes side by side (1)"],
  probe: ["One probe", "One probe, large, with its numbers (2)"],
  summary: ["Summary", "All probes as one: their mean output and the spread of their regions (3)"],
};

const LAYER_WORDS = {
  dots: ["Dots", "The corners of each region (d)"],
  outline: ["Outline", "The edge of each region (o)"],
  mesh: ["Mesh", "The sampling grid within each region, and a spline's control points (m)"],
  trail: ["Trail", "Where the corners were over the last epoch (t)"],
  inverse: [
    "Pasted back",
    "Each output pasted back where it was sampled from: the inverse warp (b)",
  ],
  outputs: ["Outputs only", "Nothing but what the transformers hand on"],
};

export class SightBar {
  /**
   * @param {() => object} view the present view
   * @param {(view: object) => void} change called with the next one
   */
  constructor(view, change) {
    this.view = view;
    this.sights = buttons(SIGHT_WORDS, (kind) => change({ ...view(), kind }));
    this.layers = buttons(LAYER_WORDS, (layer) => change(toggleLayer(view(), layer)));
    const group = (name, title, parts) => {
      const made = element(`div.${name}`, { role: "group" }, ...Object.values(parts));
      made.setAttribute("aria-label", title);
      return made;
    };
    this.element = element(
      "div.stn-sights",
      {},
      group("stn-segments", "Stage shows", this.sights),
      group("stn-chips", "Drawn on the stage", this.layers),
    );
  }

  /** @param {boolean} plain whether the network has no transformer, so that nothing is drawn */
  show(plain = false) {
    const { kind, layers } = this.view();
    for (const [name, button] of Object.entries(this.sights)) {
      button.setAttribute("aria-pressed", name === kind);
    }
    for (const [name, button] of Object.entries(this.layers)) {
      button.setAttribute("aria-pressed", layers[name]);
      // Where nothing but outputs is seen there is nothing to draw on.
      const bare = kind === "probes" && layers.outputs && name !== "outputs";
      button.disabled = plain || bare;
      // Of one probe and of the crowd the outputs are large anyway.
      button.hidden = name === "outputs"
        ? kind !== "probes"
        : kind === "summary" && !SUMMARY_LAYERS.has(name);
    }
  }
}

// Layers that mean something for all probes as one.
const SUMMARY_LAYERS = new Set(["dots", "outline", "trail"]);

/** What the keys for sights and layers do. */
export function sightKeys(view, change) {
  const to = (kind) => () => change({ ...view(), kind });
  const layers = Object.keys(LAYERS).filter((layer) => layer !== "outputs");
  return {
    1: to("probes"),
    2: to("probe"),
    3: to("summary"),
    ...Object.fromEntries(
      layers.map((
        layer,
      ) => [layer === "inverse" ? "b" : layer[0], () => change(toggleLayer(view(), layer))]),
    ),
  };
}

function buttons(words, act) {
  return Object.fromEntries(
    Object.entries(words).map(([name, [text, title]]) => {
      const button = element("button.stn-chip", { type: "button", title }, text);
      button.dataset.name = name;
      button.onclick = () => act(name);
      return [name, button];
    }),
  );
}
