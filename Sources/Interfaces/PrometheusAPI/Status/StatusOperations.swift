// SPDX-License-Identifier: Apache-2.0

internal import HTTP
internal import JSON
internal import Model
internal import Platform
internal import Storage

extension PrometheusAPI {
    /// `status/…`
    var statusOperations: [Operation] {
        let status = context.status
        return [
            Operation(methods: ["GET"], path: "/status/config") { _ in
                let text = status.configuration()
                return APIAnswer { json in json.object { $0.member("yaml", text) } }
            },
            Operation(methods: ["GET"], path: "/status/flags") { _ in
                let flags = status.flags.sorted { $0.name < $1.name }
                return APIAnswer { json in
                    json.object { json in
                        for flag in flags { json.member(flag.name, flag.value) }
                    }
                }
            },
            Operation(methods: ["GET"], path: "/status/runtimeinfo") { _ in
                let runtime = status.runtime()
                return APIAnswer { $0.runtime(runtime) }
            },
            Operation(methods: ["GET"], path: "/status/buildinfo") { _ in
                APIAnswer { $0.build(status.build) }
            },
            Operation(methods: ["GET"], path: "/status/tsdb") { request throws(APIFailure) in
                let limit = try Self.listLimit(request.parameters["limit"])
                do throws(StorageError) {
                    let storage = try status.storage(limit).get()
                    return APIAnswer { $0.storage(storage) }
                } catch {
                    throw APIFailure(
                        error.code == .unavailable ? .unavailable : .internal, error.message)
                }
            },
            Operation(methods: ["GET"], path: "/status/walreplay", needsReadiness: false) { _ in
                let replay = status.replay()
                return APIAnswer { json in
                    json.object { json in
                        json.member("min", Int64(replay.first))
                        json.member("max", Int64(replay.last))
                        json.member("current", Int64(replay.current))
                    }
                }
            },
        ]
    }

    private static func listLimit(_ text: String) throws(APIFailure) -> Int {
        if text.isEmpty { return 10 }
        guard let limit = Int(text), limit >= 1 else {
            throw .badData("limit must be a positive number")
        }
        if limit > 10_000 { throw .badData("limit must not exceed 10000") }
        return limit
    }
}

extension JSONWriter {
    mutating func build(_ build: BuildStatus) {
        object { json in
            json.member("version", build.version)
            json.member("revision", build.revision)
            json.member("branch", build.branch)
            json.member("buildUser", build.user)
            json.member("buildDate", build.date)
            // There is no Go here; clients show it only.
            json.member("goVersion", "")
            json.member("product", build.product)
            json.member("serverVersion", build.productVersion)
        }
    }

    fileprivate mutating func runtime(_ runtime: RuntimeStatus) {
        object { json in
            json.key("startTime")
            json.time(runtime.startTime)
            json.member("CWD", runtime.workingDirectory)
            json.member("hostname", runtime.hostName)
            json.key("serverTime")
            json.time(currentMilliseconds())
            json.key("reloadConfigSuccess")
            json.boolean(runtime.isConfigurationLoaded)
            json.key("lastConfigTime")
            json.time(runtime.lastConfigurationTime)
            json.member("corruptionCount", runtime.corruptionCount)
            json.member("goroutineCount", Int64(runtime.threadCount))
            json.member("GOMAXPROCS", Int64(Host.processorCount))
            json.member("GOMEMLIMIT", Int64.max)
            json.member("GOGC", "")
            json.member("GODEBUG", "")
            json.member("storageRetention", runtime.retention)
        }
    }

    fileprivate mutating func storage(_ storage: StorageStatus) {
        object { json in
            json.key("headStats")
            json.object { json in
                json.member("numSeries", Int64(clamping: storage.seriesCount))
                json.member("numLabelPairs", Int64(storage.labelPairCount))
                json.member("chunkCount", storage.chunkCount)
                // An empty head has upstream's inverted range.
                json.member("minTime", storage.timeRange?.start ?? .max)
                json.member("maxTime", storage.timeRange?.end ?? .min)
            }
            json.counts("seriesCountByMetricName", storage.seriesByMetricName)
            json.counts("labelValueCountByLabelName", storage.valuesByLabelName)
            json.counts("memoryInBytesByLabelName", storage.memoryByLabelName)
            json.counts("seriesCountByLabelValuePair", storage.seriesByLabelPair)
        }
    }

    private mutating func counts(_ name: String, _ counts: [StorageStatus.Count]) {
        key(name)
        array(counts) { json, count in
            json.object { json in
                json.member("name", count.name)
                json.member("value", Int64(clamping: count.value))
            }
        }
    }
}
