// SPDX-License-Identifier: Apache-2.0
//
// Blocks whose time is over: others have their data, or nobody has seen them. One that stays on
// disk would be shown by the next start, with what was deleted since. So where its removal fails,
// it is tried again before samples are deleted or blocks merged.

internal import Instrumentation
internal import Model
internal import Platform
internal import Storage
internal import Synchronization

extension Database {
    /// Removes blocks that are not loaded any more. The caller holds `maintenance`.
    func discard(_ ids: [ULID]) throws(StorageError) {
        state.withLock { $0.discarded += ids }
        try removeDiscarded()
    }

    /// Removes blocks that were written in vain; why is said already.
    func withdraw(_ ids: [ULID]) {
        do throws(StorageError) {
            try discard(ids)
        } catch {
            environment.log.warn("A block stays that is not wanted: \(error.message)")
        }
    }

    /// Removes what could not be removed before.
    func removeDiscarded() throws(StorageError) {
        for id in state.withLock({ $0.discarded }) {
            try BlockDirectories.remove(id, in: directory, environment.fileSystem)
            state.withLock { $0.discarded.removeAll { $0 == id } }
        }
    }
}
