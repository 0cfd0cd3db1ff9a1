// Watching one run: its stream, its recording and its player, joined. What is shown follows from
// the player; views are told with events and draw.
//
//   frame    {frame, past}: draw this now, with a trail through those of earlier steps
//   metrics  rows were added to the series
//   reel     another recording is shown; its series is another one too
//   arrival  frames have come that another watch may want shown
//   change   anything else: the run, the connection, the player, a problem

import { Incoming } from "./frame-queue.js";
import * as play from "./player.js";
import { Reel, SAMPLE } from "./playback.js";
import { Stream } from "../protocol/run-stream.js";
import { isCut, isLive } from "../ui/text.js";

// Metrics of long runs come thinned over HTTP; those of short ones whole over the socket.
const MANY_STEPS = 2000;
const PREFETCHED = 24;
// Milliseconds after a frame that could not be had.
const RETRY = 1000;
// Between two looks at which frames of a trail have come.
const TRACE_AGAIN = 60;

export class Watch extends EventTarget {
  constructor(api, calm) {
    super();
    this.api = api;
    this.calm = calm;
    this.speed = 1; // of a replay
    this.awaits = null; // (step) => whether what else is shown with a step in a replay is at hand
    this.led = false; // whether its frames are wanted while another watch says which is shown
    this.tracing = false; // whether earlier frames are wanted with each
    this.clear();
  }

  /** Forgets the run that was watched. What was drawn of it stays until something else is. */
  clear() {
    this.stream?.close();
    this.stream = null;
    this.id = null;
    this.run = null;
    this.problem = null;
    this.lost = false; // whether the connection is
    this.skipped = 0;
    this.reel = null;
    this.own = null;
    this.shown = null;
    this.past = []; // frames that the trail of what is shown leads through
    this.incoming = new Incoming();
  }

  /** Whether what is shown is the recording that ships, not the run itself. */
  get waiting() {
    return this.reel !== this.own && !this.onLap;
  }

  /** The run whose frames are shown; null where that is another one, recorded earlier. */
  get runShown() {
    return this.waiting ? null : this.run;
  }

  /** Whether the closing lap is shown, whose probes move while the weights stand still. */
  get onLap() {
    return Boolean(this.reel?.isLap);
  }

  /** Whether there is a closing lap to show. */
  get hasLap() {
    return !this.own?.player.live && this.own?.recording.laps.length > 0;
  }

  /** When the last frame came over the stream. */
  get heard() {
    return this.incoming.heard;
  }

  get player() {
    return this.reel?.player ?? play.openPlayer({ live: true });
  }

  /**
   * Watches another run: live where it is being trained, from its recording where it is not.
   * @param {number | null} step that is held, where one is asked for
   * @param {boolean} lap whether its closing lap is played
   */
  async open(id, step = null, lap = false) {
    this.clear();
    this.id = id;
    this.wanted = { step, lap };
    this.own = this.reel = new Reel(this.api, id);
    this.#tell("reel");
    const own = this.own;
    try {
      const run = await this.api.run(id);
      if (own === this.own) await this.#begin(run);
    } catch (problem) {
      if (own === this.own) this.#fail(problem);
    }
  }

  /** Plays the recording that ships, since there is no run to show. */
  async openSample() {
    this.clear();
    this.own = new Reel(this.api, SAMPLE);
    await this.#playSample();
  }

  /** Plays the closing lap round and round, or goes back to the run's steps. */
  playLap(wanted) {
    if (wanted === this.onLap || (wanted && !this.hasLap)) return;
    this.reel = wanted ? this.own.lap(this.calm) : this.own;
    this.#schedule();
    this.#tell("change");
  }

  /** Shows the recorded step at or before `step`, and stays there. */
  goTo(step) {
    this.playLap(false);
    this.act(play.seek, step);
  }

  /** Changes the player of what is shown: `act` is one of the player's functions. */
  act(act, ...rest) {
    if (!this.reel) return;
    const before = this.reel.player;
    this.reel.player = act(before, ...rest);
    if (before.mode === "follow" && this.reel.player.mode !== "follow") this.#listAgain();
    this.#follow();
    this.#schedule();
    this.#tell("change");
  }

  async #begin(run) {
    const own = this.own;
    this.run = run;
    own.recording.begin(run.attempt);
    const [steps] = await Promise.all([run.frames ? own.recording.list() : [], this.#history(run)]);
    if (own !== this.own) return;
    own.player = play.openPlayer({ steps, live: isLive(run.status), calm: this.calm });
    const { step, lap } = this.wanted;
    if (step !== null && steps.length) own.player = play.seek(own.player, step);
    this.#connect();
    this.playLap(lap);
    this.#tell("change");
    if (steps.length) this.#schedule();
    else await this.#playSample();
  }

  async #history(run) {
    if (run.step <= MANY_STEPS) return;
    const every = Math.ceil(run.step / MANY_STEPS);
    this.own.series.append(await this.api.metrics(run.id, { every }));
  }

  async #playSample() {
    const reel = new Reel(this.api, SAMPLE);
    const own = this.own;
    try {
      const steps = await reel.recording.list();
      reel.series.append(await this.api.metrics(SAMPLE));
      if (own !== this.own || own.player.steps.length) return;
      reel.player = play.openPlayer({ steps, calm: this.calm });
      this.reel = reel;
      this.#tell("reel");
      this.#schedule();
    } catch (problem) {
      // Without one there is nothing to bridge the wait with, and nothing is wrong.
      if (own === this.own && problem.status !== 404) this.#fail(problem);
    }
  }

  #connect() {
    const own = this.own;
    const mine = (act) => (message) => own === this.own && act(message);
    this.stream = new Stream(this.api.streamUrl(this.id), {
      run: mine((run) => this.#hearRun(run)),
      metrics: mine((columns) => this.#hearMetrics(columns)),
      frame: mine((bytes) => this.#hearFrame(bytes)),
      connection: mine((connected) => this.#hearConnection(connected)),
    });
    this.stream.lastStep = own.series.last;
    this.#follow();
  }

  #hearConnection(connected) {
    this.lost = !connected;
    if (!connected) this.#lookForRun();
    this.incoming.reconnect();
    this.#tell("change");
  }

  #hearRun(run) {
    this.run = run;
    this.problem = null;
    if (run.status === "deleted") return this.#end();
    this.skipped = run.skipped ?? 0;
    this.own.recording.begin(run.attempt);
    this.own.player = play.settle(this.own.player, isLive(run.status), !isCut(run.status));
    if (this.own.player.live) this.playLap(false);
    if (this.own.player.mode !== "follow") this.#listAgain();
    this.#follow();
    this.#schedule();
    this.#tell("change");
  }

  /**
   * Asks for an action, or a change of settings. The answer may be there before the stream's word,
   * but is no news after it.
   * @throws {Problem} it is refused, or the server does not answer
   */
  async control(request) {
    const { own, run } = this;
    const now = await this.api.control(this.id, request);
    if (own !== this.own || run !== this.run) return;
    this.run = { ...run, ...now };
    this.#tell("change");
  }

  // A lost connection may be all that is heard of a run that was deleted.
  async #lookForRun() {
    const own = this.own;
    try {
      await this.api.run(this.id);
    } catch (problem) {
      if (own !== this.own || problem.status !== 404) return;
      this.run = { ...this.run, status: "deleted", can: [], live: false };
      this.#end();
    }
  }

  // The run is no more; what is on the stage stays, and so do the steps that are at hand.
  #end() {
    this.stream?.close();
    this.lost = false;
    this.run = { ...this.run, can: [], live: false };
    if (!this.waiting) {
      const { player, recording } = this.own;
      const steps = player.steps.filter((step) => recording.has(step));
      this.own.player = play.seek({ ...player, steps, live: false }, player.at);
    }
    this.#tell("change");
  }

  #hearMetrics(columns) {
    this.own.series.append(columns);
    this.stream.lastStep = this.own.series.last;
    if (!this.waiting) this.#tell("metrics");
  }

  #hearFrame(bytes) {
    const own = this.own;
    this.incoming.hear(bytes, own.recording);
    if (this.waiting) {
      this.reel = own;
      this.#tell("reel");
    }
    this.#schedule();
  }

  // One for each paint, so that those are seen too that came while the page was busy. Who looks at
  // something else learns of all of them at once.
  #takeIn() {
    const { own, incoming } = this;
    const taken = incoming.take({ all: own.player.mode !== "follow" });
    for (const { info } of taken) own.player = play.arrive(own.player, info.step);
    if (this.led && taken.length) this.#tell("arrival");
    if (incoming.frames.length) this.#schedule();
  }

  // Steps that were skipped on the way here become known, so that they can be gone back to.
  #listAgain() {
    const own = this.own;
    clearTimeout(this.listing);
    this.listing = setTimeout(() => own === this.own && this.#list(own), own.rests);
  }

  async #list(own) {
    try {
      await own.list();
      if (own === this.own) this.#fail(null);
    } catch (problem) {
      if (own === this.own) this.#fail(problem);
    }
    this.#schedule();
  }

  /** Shows what is at hand at once, not with the next paint: something else shows with it. */
  showNow() {
    if (this.reel) this.#show();
  }

  /** Hears of all frames from now on, though another watch says which is shown; or no more. */
  beLed(wanted) {
    if (wanted === this.led) return;
    this.led = wanted;
    this.#follow();
  }

  #follow() {
    this.stream?.follow(this.led || this.own.player.mode === "follow");
  }

  #schedule() {
    if (!this.ticking) this.ticking = requestAnimationFrame((now) => this.#tick(now));
  }

  /** Loads frames at or before steps that will be wanted soon. */
  prepare(steps) {
    this.reel?.prepare(steps);
  }

  /** Shows trails from now on, or none. */
  trace(wanted) {
    if (wanted === this.tracing) return;
    this.tracing = wanted;
    this.#schedule();
  }

  #tick(now) {
    this.ticking = 0;
    const seconds = Math.min(0.1, (now - (this.ticked ?? now)) / 1000);
    this.ticked = now;
    if (!this.reel) return;
    this.#takeIn();
    const { recording } = this.reel;
    const before = this.reel.player;
    this.reel.player = play.advance(
      before,
      seconds,
      (step) => recording.has(step) && (this.awaits?.(step) ?? true),
      this.speed,
    );
    if (this.reel.player.mode !== before.mode) this.#tell("change");
    this.#show();
    if (this.reel.player.mode === "replay") {
      recording.prefetch(play.ahead(this.reel.player, PREFETCHED));
      this.#schedule();
    } else this.ticked = null;
  }

  #show() {
    const { player, recording } = this.reel;
    const { newest } = this.incoming;
    const live = player.mode === "follow" && newest?.info.step === player.at;
    const frame = live ? newest : recording.kept(player.at);
    if (!frame && player.at !== null) this.#load(player.at);
    if (frame) this.#present(frame, this.#traced());
    this.incoming.repay(this.stream);
  }

  #present(frame, past) {
    if (frame === this.shown && past.length === this.past.length) return;
    this.shown = frame;
    this.past = past;
    this.#tell("frame", { frame, past });
  }

  // The frames that a trail leads through; shown again when more of them may have come.
  #traced() {
    if (!this.tracing) return [];
    const epoch = this.runShown?.steps_per_epoch ?? null;
    const { past, more } = this.reel.trail(this.onLap ? null : epoch);
    if (more) setTimeout(() => this.#schedule(), TRACE_AGAIN);
    return past;
  }

  // One at a time: by the time it has come another one may be wanted.
  async #load(step) {
    if (this.loading) return;
    this.loading = true;
    const reel = this.reel;
    try {
      await reel.recording.load(step);
      this.#fail(null);
      this.#schedule();
    } catch (problem) {
      if (reel === this.reel) this.#fail(problem);
      // A replay asks with every paint.
      await new Promise((resolve) => setTimeout(resolve, RETRY));
      this.#schedule();
    } finally {
      this.loading = false;
    }
  }

  // What went wrong last; null when it works again.
  #fail(problem) {
    this.problem = problem;
    this.#tell("change");
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
