// SPDX-License-Identifier: Apache-2.0

internal import Model
internal import Synchronization

/// Where the server is in its life, and what it runs with. Any thread may ask.
final class ServerPhase: Sendable {
    enum Phase: Sendable { case starting, ready, stopping }

    private struct State {
        var phase = Phase.starting
        var configuration: Configuration
        var configurationTime: Timestamp
        var isConfigurationLoaded = true
    }

    private let state: Mutex<State>

    init(_ configuration: Configuration, at time: Timestamp) {
        state = Mutex(State(configuration: configuration, configurationTime: time))
    }

    var current: Phase { state.withLock { $0.phase } }
    func enter(_ phase: Phase) { state.withLock { $0.phase = phase } }

    var configuration: Configuration { state.withLock { $0.configuration } }

    /// When the configuration was last loaded, and whether the last attempt succeeded.
    var lastLoad: (time: Timestamp, isSuccessful: Bool) {
        state.withLock { ($0.configurationTime, $0.isConfigurationLoaded) }
    }

    func loaded(_ configuration: Configuration, at time: Timestamp) {
        state.withLock {
            $0.configuration = configuration
            $0.configurationTime = time
            $0.isConfigurationLoaded = true
        }
    }

    func failedToLoad() { state.withLock { $0.isConfigurationLoaded = false } }
}
