// The shapes that the server sends: catalog, runs, metrics and frames. Types only, nothing to run.

/**
 * A tensor of a frame, row-major.
 * @typedef {object} Tensor
 * @property {number[]} shape
 * @property {Uint8Array | Float32Array} data
 */

/**
 * A frame's tensors by name; see backend/experiment/frames/frame.py for their shapes. For each
 * transformer `t` there are `output.t`, `theta.t`, `corners.t` and `grid.t`; where there are class
 * scores, `probabilities`.
 * @typedef {{[name: string]: Tensor, input: Tensor}} Tensors
 */

/**
 * One spatial transformer of a network.
 * @typedef {object} Transformer
 * @property {string} name its tensors are named after it
 * @property {string} family a name in the catalog's families
 * @property {string} at "input", or the map it works on
 * @property {number} [time_step] counted from 1, where the network is recurrent
 * @property {"read" | "fitted"} [theta] whether theta is the network's own, or fitted to its grid
 * @property {number} [residual] largest distance of the fitted grid, in pixels
 * @property {"exact" | "stretched"} [placement] whether a map's position in the input is known
 */

/**
 * A probe's class: its index, several for a row of objects, null where unknown.
 * @typedef {number | number[] | null} Label
 */

/**
 * What a frame's JSON holds.
 * @typedef {object} FrameInfo
 * @property {number} protocol
 * @property {string} run the run's id
 * @property {number} step optimiser steps done
 * @property {number | null} epoch
 * @property {number | null} progress tenths of the epoch; null, as the epoch, if its length is unknown
 * @property {number | null} loss
 * @property {number | null} accuracy
 * @property {number} time when the step was done, in seconds since 1970
 * @property {string[]} classes
 * @property {Label[]} labels one for each probe
 * @property {Label[]} predicted one for each probe; null where there are no class scores, or none that are finite
 * @property {Transformer[]} transformers in the order in which they act
 * @property {Object<string, (string | null)[]>} [collapsed] by transformer, the reason for each probe
 * @property {number[]} [joined] indices of the pictures that were added to the probes
 * @property {number | null} [stillness]
 * @property {boolean} [moving] whether the probes' distortions move
 * @property {number} [lap] number within the closing lap
 * @property {string[]} [notes] on an uploaded picture
 * @property {string} [picture] key of an uploaded picture
 * @property {string} [weights] that an uploaded picture was transformed with
 * @property {number} [request] number of the request that this frame responds to
 * @property {{class: number, loss: number}} [gradient] of an uploaded picture, if it was requested
 * @property {{transformer: string, index: number, layer: string, shape: number[]}[]} [maps] of localisation
 *   networks, if they were requested
 * @property {string[]} [given] transformers whose theta was chosen by hand
 */

/**
 * @typedef {object} Frame
 * @property {FrameInfo} info
 * @property {Tensors} tensors
 */

/**
 * What dragging a region can set; `corners`: each corner independently.
 * @typedef {"translation" | "rotation" | "scale" | "shear" | "corners"} DegreeOfFreedom
 */

/**
 * A family of transformers, as the catalog describes it; see models/catalog/families.py.
 * @typedef {object} FamilyEntry
 * @property {string} name
 * @property {string} title
 * @property {string} description
 * @property {number} parameters length of theta
 * @property {DegreeOfFreedom[]} degrees_of_freedom that dragging a corner can set
 * @property {string[]} theta_labels the name of each number of theta, where each has one
 * @property {number[] | null} theta_matrix rows and columns, where theta is a matrix; its last entry
 *   is 1 where theta is one number short
 * @property {number | null} control_points k, where theta is k x k control points (x, y), row by row
 */

/**
 * What the page's visitor may do, and what a link for others is made of.
 * @typedef {object} Access
 * @property {string | null} refusal why the visitor may only view; null if not
 * @property {boolean} needs_token whether the server requires a token
 * @property {string | null} viewer_token the token for viewing, if there is one
 * @property {string | null} address where other machines reach the server; null if none does
 */

/**
 * What a run can be made of, and the server's limits.
 * @typedef {object} Catalog
 * @property {FamilyEntry[]} families
 * @property {{name: string, title: string}[]} datasets
 * @property {Object<string, number>} limits largest accepted values
 * @property {Required<RunConfig>} defaults
 * @property {ExportDefaults} export_defaults
 * @property {ExportFormat[]} export_formats
 */

/**
 * A form in which a run can be exported.
 * @typedef {object} ExportFormat
 * @property {string} name
 * @property {string} title
 * @property {string} description
 * @property {"animation" | "still" | "page" | "data"} kind
 * @property {string} suffix
 * @property {string} media_type
 * @property {string[]} options that have an effect
 */

/**
 * What an export will be; null where it does not apply.
 * @typedef {object} ExportPreview
 * @property {number | null} width in pixels; of a PDF in points
 * @property {number | null} height
 * @property {number | null} frames
 * @property {number | null} rows of a table
 * @property {number | null} seconds
 * @property {number} bytes about
 * @property {string | null} image the first frame, as a data URL
 */

/**
 * A job that makes a file.
 * @typedef {object} Export
 * @property {string} id
 * @property {number} waiting exports that are made before it
 * @property {number} done frames
 * @property {number | null} total frames, once that is known
 * @property {number | null} psnr error of the compression in decibels; null if exact
 * @property {string | null} error
 * @property {string | null} file its address, once it is finished
 */

/**
 * The values of options of an export that are not given.
 * @typedef {object} ExportDefaults
 * @property {string} format
 * @property {Record<string, number>} samples number of probes, by layout
 * @property {number} tenths_fps frames per second of the first epoch's tenths
 * @property {number} fps frames per second otherwise
 * @property {number} scale
 * @property {number} min_scale
 */

/**
 * A run's configuration. Runs recorded earlier may lack some of it.
 * @typedef {object} RunConfig
 * @property {string} architecture
 * @property {string} dataset
 * @property {string} family
 * @property {{name: string, strength?: number}} distortion
 * @property {number} seed
 * @property {number} epochs
 * @property {number} batch_size
 * @property {number} learning_rate of the classifier, at the schedule's peak
 * @property {number} localisation_learning_rate at the schedule's peak
 * @property {{count: number, moving: boolean | "tracks"}} probes
 * @property {string} [optimiser]
 * @property {string} [schedule]
 * @property {number} [weight_decay]
 * @property {number} [label_smoothing]
 * @property {number} [consistency] weight of the consistency loss
 * @property {number} [ema_decay] of the average of the weights
 * @property {string} [device] name of the device that the network is trained on
 * @property {string} [precision]
 * @property {boolean | null} [channels_last] whether weights have their channels last
 * @property {number} [threads] of the CPU
 * @property {{padding?: string, background?: number | null, supersampling?: number | null}} [sampler]
 */

/**
 * What is known of a watched run's configuration.
 * @typedef {object} WatchConfig
 * @property {string} model name of the network
 * @property {number} parameters number of its weights
 * @property {number} transformers number of its calls of grid_sample
 * @property {number | null} epochs
 */

/**
 * A run as the server lists it. If its recording cannot be read, its status is a fault, its error
 * has the reason, and it has no configuration.
 * @typedef {object} Run
 * @property {string} id
 * @property {string | null} name that a user gave it
 * @property {string | null} [sweep] id of the sweep that created it
 * @property {string} status
 * @property {string[]} can the actions that fit now
 * @property {boolean} running whether steps are being trained
 * @property {boolean} live whether more frames may come
 * @property {boolean} complete whether it finished or was stopped
 * @property {boolean} broken whether it failed, was interrupted, or cannot be read
 * @property {boolean} deleted whether its recording was removed
 * @property {string | null} picture_refusal why no picture can be added to its probes
 * @property {string | null} resume_note what a resume on its device does not guarantee
 * @property {RunConfig & Partial<WatchConfig>} config a watched run has only that of `WatchConfig`
 * @property {boolean} watched whether its loop is a program of its own
 * @property {number} created seconds since 1970
 * @property {number} attempt rises each time that the run is resumed
 * @property {number} step
 * @property {number | null} epoch
 * @property {number | null} epochs
 * @property {number | null} steps_per_epoch
 * @property {number | null} loss
 * @property {number | null} accuracy on held-out images
 * @property {number | null} validated_step of that accuracy
 * @property {number | null} stillness
 * @property {boolean} collapsed
 * @property {number} frames recorded
 * @property {number | null} first_step recorded
 * @property {number | null} last_step recorded
 * @property {number} probes
 * @property {number[]} added_at steps at which pictures were added to the probes
 * @property {number} transformers
 * @property {number} thinned how often every second frame was dropped
 * @property {boolean} imported
 * @property {boolean} owned whether this server trains it
 * @property {string | null} [node] the node of the cluster that trains it
 * @property {boolean} [waits_for_cluster] whether it waits for a node of the cluster
 * @property {boolean} [unresponsive] whether its trainer hangs
 * @property {boolean} demonstration
 * @property {string | null} error
 * @property {Object<string, any> | null} [settings] that can be changed while it trains; null in
 *   a watched run whose loop has no pause point
 * @property {number} [skipped] frames that this viewer was not sent
 */

/**
 * A run on a cluster, and what it needs of a node.
 * @typedef {object} ClusterRun
 * @property {string} run its id
 * @property {number} cpus
 * @property {number} gpus
 */

/**
 * The cluster that trains the runs of a server.
 * @typedef {object} Cluster
 * @property {string | null} address null if runs are trained on the server's machine
 * @property {string | null} refusal why it is not used now
 * @property {{id: string, name: string, cpus: number, gpus: number, runs: ClusterRun[]}[]} nodes
 * @property {(ClusterRun & {fits: boolean})[]} waiting for resources, or for a node that has what they
 *   need if there is none (`fits`)
 */

/**
 * A group of runs that differ in some fields of their configuration, and in their seeds.
 * @typedef {object} SweepSummary
 * @property {string} id
 * @property {string} name
 * @property {number} created seconds since 1970
 * @property {string[]} fields paths of those in which its runs differ
 * @property {number[]} seeds
 * @property {string} status
 * @property {boolean} running whether any of its runs is trained or paused
 * @property {boolean} broken whether it was interrupted or failed
 * @property {number} runs those that have not been deleted
 * @property {number} done runs that finished
 * @property {number} training
 * @property {number} waiting
 * @property {Object<string, number>} others the rest, by status
 * @property {string[]} can the actions that fit now
 */

/**
 * A figure over the seeds of a combination.
 * @typedef {{mean: number, min: number, max: number, runs: number}} Spread
 */

/**
 * @typedef {object} SweepRun
 * @property {string} id
 * @property {number} seed
 * @property {string} status
 * @property {boolean} done whether it finished
 * @property {boolean} failed whether an error ended it
 * @property {number} attempt
 * @property {number} step
 * @property {number | null} steps
 * @property {number | null} accuracy
 * @property {boolean} collapsed
 * @property {number | null} last_step recorded
 * @property {string | null} error
 */

/**
 * What was published for a row, in percent.
 * @typedef {{network: string, data: string, figure: string, measure: "error" | "accuracy"}} PublishedFigure
 */

/**
 * The runs of a sweep that differ in their seeds only.
 * @typedef {object} SweepCombination
 * @property {Object<string, unknown>} values by field
 * @property {number} done runs that finished
 * @property {number} collapsed runs whose regions had mostly collapsed in the last frame
 * @property {number} observed runs with frames
 * @property {Spread | null} accuracy
 * @property {Spread | null} loss
 * @property {Spread | null} stillness
 * @property {PublishedFigure | null} published of the row of a published table
 * @property {SweepRun[]} runs
 */

/** @typedef {SweepSummary & {combinations: SweepCombination[]}} Sweep */

/**
 * A curve over the seeds of a combination: columns of equal length.
 * @typedef {{epoch: number[], mean: number[], low: number[], high: number[]}} SweepCurve
 */

/**
 * Curves in the order of the table, and the epochs of the longest run.
 * @typedef {{epochs: number, combinations: {accuracy: SweepCurve, loss: SweepCurve}[]}} SweepCurves
 */

/**
 * A trained network that can transform a picture.
 * @typedef {object} WeightsCard
 * @property {string} name
 * @property {string} title
 * @property {string} description
 * @property {string} subject what a picture should show
 * @property {string} dataset
 * @property {string} distortion
 * @property {string[]} classes
 * @property {number | null} transformers null if the network is not one of ours
 * @property {string | null} without_transformer name of weights of the same data without a transformer
 */

/**
 * A recording that ships with the program.
 * @typedef {object} Example
 * @property {string} title
 * @property {string} description what it shows, in a sentence
 * @property {string | null} compare id of the example that it is to be seen beside
 * @property {Run} run
 */

/**
 * Columns of equal length over `step`; `scalars` has those of a watched run's further metrics.
 * @typedef {{step: number[], scalars?: Object<string, (number | null)[]>,
 *   [name: string]: any}} MetricColumns
 */

/**
 * Where a result file is: kept with the program, or in the user's home.
 * @typedef {"stnscope" | "home"} Origin
 */

/**
 * @typedef {object} Machine
 * @property {string} processor
 * @property {number} cores
 * @property {number} threads that were used
 * @property {string} torch
 * @property {string} version of stnscope
 */

/**
 * One training of a row, and its evaluation.
 * @typedef {object} SeedResult
 * @property {RunConfig} config
 * @property {boolean} complete
 * @property {number} step
 * @property {number} steps
 * @property {number} seconds
 * @property {number} images_per_second
 * @property {number} labels
 * @property {number} errors
 * @property {number} error
 * @property {number} error_trained of the weights without averaging
 * @property {number} parameters
 * @property {number} multiply_adds
 * @property {Machine} machine
 * @property {string} date
 */

/** @typedef {{runs: SeedResult[]}} RowResult */

/**
 * How evaluated weights were trained; null is what is not recorded.
 * @typedef {object} Training
 * @property {string} distortion
 * @property {number | null} seed
 * @property {number | null} steps
 * @property {number | null} seconds
 * @property {string | null} machine
 * @property {string | null} command
 */

/**
 * One evaluation of trained weights.
 * @typedef {object} EvaluationResult
 * @property {string} weights
 * @property {string} digest
 * @property {string} dataset
 * @property {string} distortion
 * @property {number} images
 * @property {string} kind
 * @property {string} note
 * @property {number} labels
 * @property {number} errors
 * @property {number} parameters
 * @property {number} multiply_adds
 * @property {Training} training
 * @property {Machine} machine
 * @property {string} command
 * @property {string} date
 */

/**
 * A figure of ours in percent, from one result file.
 * @typedef {object} RowFigure
 * @property {Origin} origin
 * @property {string} file
 * @property {number} value
 * @property {number | null} spread
 * @property {number} seeds
 * @property {boolean} complete whether all were trained to their end
 * @property {string[]} notes
 * @property {string} command
 * @property {RowResult} result
 */

/**
 * A row of a published table, with our figures of it.
 * @typedef {object} TableRow
 * @property {string} network
 * @property {string} data
 * @property {string} published
 * @property {RowFigure[]} figures
 */

/**
 * @typedef {object} ResultTable
 * @property {string} title
 * @property {string} source
 * @property {string} measure
 * @property {string} recipe
 * @property {string[]} columns the data, where networks have a figure for each; else empty
 * @property {TableRow[]} rows
 */

/**
 * @typedef {object} EvaluationFigure
 * @property {Origin} origin
 * @property {string} file
 * @property {string} title of the network
 * @property {number} value
 * @property {EvaluationResult} result
 */

/**
 * @typedef {object} PublishedNetwork
 * @property {string} title
 * @property {string} source
 * @property {number} networks
 * @property {boolean | null} augmentation
 * @property {boolean | null} jitter
 * @property {string} weights as published
 * @property {number | null} parameters
 * @property {number | null} multiply_adds
 * @property {string} accuracy
 */

/**
 * @typedef {object} SignNetwork
 * @property {string} name
 * @property {string} title
 * @property {Origin} origin
 * @property {string} file
 * @property {string} command
 * @property {RowResult | EvaluationResult} result
 * @property {number} networks
 * @property {boolean} augmentation
 * @property {number} parameters
 * @property {number} multiply_adds
 * @property {number} value
 * @property {number | null} spread
 * @property {number} seeds
 * @property {number} images
 * @property {string} kind which images they are
 * @property {string[]} notes
 */

/**
 * @typedef {object} SignTable
 * @property {string} title
 * @property {string} source
 * @property {string} recipe
 * @property {PublishedNetwork[]} published
 * @property {SignNetwork[]} ours
 */

/**
 * The accuracy under one variation, at rising strengths.
 * @typedef {object} InvarianceCurve
 * @property {string} distortion
 * @property {{strength: number, accuracy: number, standard_error: number}[]} points
 * @property {number | null} half_lost the strength at which half of what can be lost is lost
 * @property {string[][]} predicted at each strength, for the example images
 */

/**
 * The accuracy of trained weights as each variation of the images grows.
 * @typedef {object} InvarianceResult
 * @property {string} weights
 * @property {string} digest
 * @property {string} architecture
 * @property {number} images
 * @property {string} kind
 * @property {string} note
 * @property {number} draws
 * @property {number} seed
 * @property {number} parameters
 * @property {number} seconds
 * @property {InvarianceCurve[]} curves
 * @property {{height: number, width: number, labels: string[], outputs: boolean}} pictures
 * @property {Training} training
 * @property {Machine} machine
 * @property {string} command
 * @property {string} date
 */

/**
 * @typedef {object} InvarianceNetwork
 * @property {Origin} origin
 * @property {string} file
 * @property {string} title
 * @property {number} transformers
 * @property {InvarianceResult} result
 */

/**
 * Networks on one data set, under each variation.
 * @typedef {object} InvarianceTable
 * @property {string} dataset
 * @property {string} title
 * @property {string} text
 * @property {string[]} sentences
 * @property {{name: string, title: string, description: string}[]} variations
 * @property {InvarianceNetwork[]} networks
 */

/**
 * Published figures, and ours beside them.
 * @typedef {object} ResultTables
 * @property {SignTable} signs
 * @property {ResultTable[]} tables
 * @property {EvaluationFigure[]} evaluations
 * @property {InvarianceTable[]} invariances
 * @property {{origin: Origin, name: string, reason: string}[]} unreadable
 * @property {string} folder of the home's result files
 */

export {};
