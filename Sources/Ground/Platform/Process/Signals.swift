// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// What the operating system or its user may ask a server for.
package enum ProcessSignal: Sendable, Hashable {
    /// SIGHUP: read the configuration again.
    case hangUp
    /// SIGINT: the user pressed control-C.
    case interrupt
    /// SIGTERM: end in good order.
    case terminate
}

/// Signals as values. `prepare` comes first in the program, before any thread exists: every thread
/// then inherits the blocked signals, and only the one that calls `next` receives them.
package enum Signals {
    private static func handled() -> sigset_t {
        var set = sigset_t()
        unsafe sigemptyset(&set)
        for signal in [SIGHUP, SIGINT, SIGTERM] { unsafe sigaddset(&set, signal) }
        return set
    }

    /// Holds back the signals that `next` reports and ignores SIGPIPE, so that a peer which hangs
    /// up is an error of one write.
    package static func prepare() {
        _ = signal(SIGPIPE, SIG_IGN)
        var set = handled()
        unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    /// Waits for the next signal. Blocks its thread.
    package static func next() -> ProcessSignal {
        var set = handled()
        while true {
            var number: Int32 = 0
            guard unsafe sigwait(&set, &number) == 0 else { continue }
            switch number {
            case SIGHUP: return .hangUp
            case SIGINT: return .interrupt
            default: return .terminate
            }
        }
    }
}
