// SPDX-License-Identifier: Apache-2.0

extension FlagTable {
    /// Storage, local and remote.
    static let storage: [Flag] = [
        Flag(
            name: "storage.tsdb.path", kind: .text, defaults: ["data/"],
            help: "Base path for metrics storage.",
            mode: .server),
        Flag(
            name: "storage.tsdb.min-block-duration", kind: .duration, defaults: ["2h"],
            help: "Shortest span of a block. For use in testing.",
            mode: .server, isHidden: true),
        Flag(
            name: "storage.tsdb.max-block-duration", kind: .duration, defaults: [],
            help: "Longest span of a compacted block. Defaults to 10% of the retention time. "
                + "For use in testing.",
            mode: .server, isHidden: true, placeholder: "<duration>"),
        Flag(
            name: "storage.tsdb.max-block-chunk-segment-size", kind: .bytes, defaults: [],
            help: "Largest chunk segment of a block. Example: 512MB",
            mode: .server, standing: .ineffective, isHidden: true, placeholder: "<bytes>"),
        Flag(
            name: "storage.tsdb.wal-segment-size", kind: .bytes, defaults: [],
            help: "Size at which segments of the write-ahead log end. Example: 100MB",
            mode: .server, standing: .ineffective, isHidden: true, placeholder: "<bytes>"),
        Flag(
            name: "storage.tsdb.retention.time", kind: .duration, defaults: [],
            help: "How long to keep samples. 15d if neither this nor the size is set. Units: y, "
                + "w, d, h, m, s, ms. The configuration file's storage.tsdb.retention.time goes "
                + "before it.",
            mode: .server),
        Flag(
            name: "storage.tsdb.retention.size", kind: .bytes, defaults: [],
            help: "How many bytes of blocks to keep. Units, powers of 1024: B, KB, MB, GB, TB, "
                + "PB, EB. Ex: \"512MB\". The configuration file's storage.tsdb.retention.size "
                + "goes before it.",
            mode: .server),
        Flag(
            name: "storage.tsdb.no-lockfile", kind: .toggle, defaults: ["false"],
            help: "Do not lock the data directory.",
            mode: .server, standing: .absent),
        Flag(
            name: "storage.tsdb.allow-overlapping-compaction", kind: .toggle, defaults: ["true"],
            help: "Compact blocks that overlap.",
            mode: .server, standing: .absent, isHidden: true),
        Flag(
            name: "storage.tsdb.wal-compression", kind: .toggle, defaults: ["true"],
            help: "Compress the write-ahead log.",
            mode: .server, isHidden: true),
        Flag(
            name: "storage.tsdb.wal-compression-type", kind: .choice(["snappy", "zstd"]),
            defaults: ["snappy"],
            help: "How to compress the write-ahead log.",
            mode: .server, isHidden: true),
        Flag(
            name: "storage.tsdb.head-chunks-write-queue-size", kind: .integer, defaults: ["0"],
            help: "Accepted for compatibility; head chunks are written without a queue.",
            mode: .server),
        Flag(
            name: "storage.tsdb.samples-per-chunk", kind: .integer, defaults: ["120"],
            help: "How many samples a chunk shall have.",
            mode: .server, standing: .absent, isHidden: true),
        Flag(
            name: "storage.tsdb.delayed-compaction.max-percent", kind: .integer, defaults: ["10"],
            help: "Upper limit of the random delay of compactions, with the feature "
                + "delayed-compaction.",
            mode: .server, standing: .ineffective, isHidden: true),
        Flag(
            name: "storage.tsdb.delay-compact-file.path", kind: .text, defaults: [""],
            help: "JSON file with the blocks that an uploader has taken; others are not "
                + "compacted.",
            mode: .server, standing: .absent),
        Flag(
            name: "storage.tsdb.block-reload-interval", kind: .duration, defaults: ["1m"],
            help: "How often to look for blocks that came or went from outside.",
            mode: .server, standing: .ineffective, isHidden: true),
        Flag(
            name: "storage.memory-budget", kind: .memory, defaults: ["80%"],
            help: "What the process may hold in memory, cached files aside: a size, or a share of "
                + "the memory that it may use. From nine tenths on the head is cut early and "
                + "lets series that ended go; at it, new series are refused and known ones go on. "
                + "0 for no limit.",
            mode: .server),
        Flag(
            name: "storage.agent.path", kind: .text, defaults: ["data-agent/"],
            help: "Base path for metrics storage.",
            mode: .agent),
        Flag(
            name: "storage.agent.wal-segment-size", kind: .bytes, defaults: [],
            help: "Size at which segments of the log end. Example: 100MB",
            mode: .agent, isHidden: true, placeholder: "<bytes>"),
        Flag(
            name: "storage.agent.wal-compression", kind: .toggle, defaults: ["true"],
            help: "Compress the log.",
            mode: .agent),
        Flag(
            name: "storage.agent.wal-compression-type", kind: .choice(["snappy", "zstd"]),
            defaults: ["snappy"],
            help: "How to compress the log.",
            mode: .agent, isHidden: true),
        Flag(
            name: "storage.agent.wal-truncate-frequency", kind: .duration, defaults: [],
            help: "How often to cut the log and drop old data.",
            mode: .agent, isHidden: true, placeholder: "<duration>"),
        Flag(
            name: "storage.agent.retention.min-time", kind: .duration, defaults: ["5m"],
            help: "The age that samples must have to be dropped when the log is cut.",
            mode: .agent),
        Flag(
            name: "storage.agent.retention.max-time", kind: .duration, defaults: ["4h"],
            help: "The age at which samples are dropped when the log is cut.",
            mode: .agent),
        Flag(
            name: "storage.agent.checkpoint-from-in-memory-series", kind: .toggle,
            defaults: ["false"],
            help: "Build checkpoints from the series in memory only.",
            mode: .agent),
        Flag(
            name: "storage.agent.checkpoint-batch-size", kind: .integer, defaults: ["1000"],
            help: "How many entries of a checkpoint are written at once.",
            mode: .agent),
        Flag(
            name: "storage.agent.no-lockfile", kind: .toggle, defaults: ["false"],
            help: "Do not lock the data directory.",
            mode: .agent),
        Flag(
            name: "storage.remote.flush-deadline", kind: .duration, defaults: ["1m"],
            help: "How long to wait for samples to be sent at shutdown or reload.",
            mode: .any, standing: .ineffective, placeholder: "<duration>"),
        Flag(
            name: "storage.remote.read-sample-limit", kind: .integer, defaults: ["5e7"],
            help: "How many samples a remote read may return. 0 means no limit.",
            mode: .server, standing: .ineffective),
        Flag(
            name: "storage.remote.read-concurrent-limit", kind: .integer, defaults: ["10"],
            help: "How many remote reads run at the same time. 0 means no limit.",
            mode: .server, standing: .ineffective),
        Flag(
            name: "storage.remote.read-max-bytes-in-frame", kind: .integer, defaults: ["1048576"],
            help: "How many bytes a frame of a streamed remote read has at most.",
            mode: .server, standing: .ineffective),
    ]
}
