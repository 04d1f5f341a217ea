// SPDX-License-Identifier: Apache-2.0
//
// Lives one history: does its steps to a database on a disk in memory, and after each start, and
// whenever a step says so, compares everything that the database answers with a simple expectation.

internal import Glibc
internal import Model
internal import Platform
internal import Storage
internal import TSDB

package struct Run {
    /// What was done, a line a step, for the report of a failure.
    package private(set) var trace: [String] = []
    /// How many steps of each kind were done.
    package private(set) var counts: [Step.Kind: Int] = [:]
    package var sampleCount: Int { expectation.sampleCount }

    let setup: Setup
    let surroundings = Surroundings()
    var expectation: Expectation
    var extras: Extras
    /// What a reload may change, as it is now.
    var settings: DatabaseSettings
    /// Nil after a start that damage prevented.
    var database: Database?
    var head: Head?
    /// What was resolved since the start.
    var refs: [Labels: SeriesRef] = [:]
    /// Which of its successive label sets each series has.
    var generations: [Int]
    var random = RandomNumbers(seed: 0)
    private let history: History

    static let folder = "/data"

    var disk: MemoryDisk { surroundings.disk }

    package init(_ history: History) {
        self.history = history
        setup = Setup(seed: history.seed)
        settings = setup.settings
        expectation = Expectation(settings.retention)
        extras = Extras(setup)
        generations = Array(repeating: 0, count: setup.seriesCount)
        surroundings.clock = 1_700_000_000_000
    }

    /// Does all steps. Throws where the database does what it must not.
    package mutating func run() throws(Disagreement) {
        trace.append(setup.description)
        do throws(FileError) {
            try disk.createDirectory(Self.folder)
            try disk.syncDirectory("/")
        } catch {
            throw Disagreement("\(error)")
        }
        try start(found: .durable)
        for step in history.steps {
            guard database != nil else { return }
            random = RandomNumbers(seed: step.seed)
            surroundings.reseed(step.seed)
            trace.append("\(step.kind)")
            counts[step.kind, default: 0] += 1
            try take(step.kind)
        }
        if database != nil { try look() }
    }

    private mutating func take(_ kind: Step.Kind) throws(Disagreement) {
        switch kind {
        case .append: try append()
        case .appendLate: try appendLate()
        case .backfill: try backfill()
        case .appendWhole: try appendWhole()
        case .churn: churn()
        case .leap: leap()
        case .writePending: try writePending()
        case .maintain: try maintain()
        case .delete: try delete()
        case .cleanTombstones: try cleanTombstones()
        case .reload: try reload()
        case .squeeze: squeeze()
        case .check: try look()
        case .query: try query()
        case .isolate: try isolate()
        case .snapshot: try snapshot()
        case .headSnapshot: head?.takeSnapshot()
        case .restart: try restart()
        case .kill: try kill()
        case .cutPower: try cutPower()
        case .beginFaults: beginFaults()
        case .fillDisk: fillDisk()
        case .endFaults: disk.faults = DiskFaults()
        case .flip: try flip()
        }
    }

    /// Adds to the line of the step that is being done.
    mutating func note(_ text: String) { trace[trace.count - 1] += " " + text }

    /// Whether the disk has a right to make something fail.
    var areFaultsOn: Bool { disk.faults.failingOneIn > 0 || disk.faults.room != nil }

    /// An error that nothing excuses.
    func excuse(_ error: any Error, _ doing: String) throws(Disagreement) {
        if !areFaultsOn { throw Disagreement("\(doing) failed without a fault: \(error)") }
    }

    // MARK: Starts and ends

    /// Starts the database and looks at everything in it.
    mutating func start(found: Expectation.Certainty) throws(Disagreement) {
        do throws(StorageError) {
            try open()
        } catch {
            try excuse(error, "opening")
            note("did not start: \(error)")
            abandon()
            disk.faults = DiskFaults()
            return try start(found: found)
        }
        if !disk.faults.operations.allSatisfy(\.isChange) {
            // A block that could not be read is set aside until the next start.
            abandon()
            disk.faults = DiskFaults()
            return try start(found: found)
        }
        if let reason = database?.readOnlyReason {
            throw Disagreement("the folder became read-only: \(reason)")
        }
        noteBlocks()
        try look(found: found)
    }

    mutating func open() throws(StorageError) {
        (database, head) = try open(Self.folder)
    }

    /// Opens a folder with the settings as they are now.
    func open(_ folder: String) throws(StorageError) -> (Database, Head?) {
        let memory = setup.memoryBudget.map(surroundings.budget)
        var options = setup.databaseOptions(memory)
        options.settings = settings
        var headOptions = setup.headOptions(memory)
        headOptions.outOfOrderWindow = settings.outOfOrderWindow
        var opened: Head?
        let environment = surroundings.environment
        let database = try Database.open(folder, options, environment) {
            (minValidTime) throws(StorageError) in
            let head = try Head.open(
                folder, headOptions, minValidTime: minValidTime, environment.fileSystem,
                environment.registry)
            opened = head
            return head
        }
        return (database, opened)
    }

    /// The process ends without any further word.
    mutating func abandon() {
        database = nil
        head = nil
        refs = [:]
        disk.kill()
    }

    private mutating func restart() throws(Disagreement) {
        do throws(StorageError) {
            try database?.close()
            expectation.sync()
            extras.sync()
        } catch {
            try excuse(error, "closing")
            note("failed: \(error)")
        }
        expectation.kill()
        extras.kill()
        abandon()
        try start(found: .committed)
    }

    private mutating func kill() throws(Disagreement) {
        expectation.kill()
        extras.kill()
        abandon()
        try start(found: .committed)
    }

    private mutating func cutPower() throws(Disagreement) {
        let mode = random.element(of: PowerCut.allCases)
        note("\(mode)")
        expectation.cutPower()
        extras.cutPower()
        abandon()
        disk.faults = DiskFaults()
        disk.cutPower(mode)
        try start(found: .durable)
    }

    /// Other settings are read while the database runs.
    private mutating func reload() throws(Disagreement) {
        var changed = settings
        if setup.settings.outOfOrderWindow > 0, random.isOne(in: 2) {
            changed.outOfOrderWindow =
                settings.outOfOrderWindow == 0 ? setup.settings.outOfOrderWindow : 0
        }
        if random.isOne(in: 2) {
            changed.blockEncoding = settings.blockEncoding == .xor ? .dense : .xor
        }
        note("late \(changed.outOfOrderWindow) ms, \(changed.blockEncoding) blocks")
        do throws(StorageError) {
            try database?.apply(changed)
            settings = changed
        } catch {
            try excuse(error, "a reload")
            note("failed: \(error)")
        }
    }

    /// The process uses more of its memory, or less.
    private mutating func squeeze() {
        guard let budget = setup.memoryBudget else { return }
        let share = random.element(of: [0, 95, 120])
        surroundings.memoryInUse = budget / 100 * share
        note("\(share) % of the memory budget is in use")
    }

    // MARK: Faults

    private mutating func beginFaults() {
        var faults = DiskFaults()
        faults.failingOneIn = random.element(of: [1, 2, 5, 20])
        let count = random.element(of: [1, 2, 6, DiskOperation.allCases.count])
        faults.operations = Set(DiskOperation.allCases.shuffled(using: &random).prefix(count))
        disk.faults = faults
        let names = faults.operations.map(\.rawValue).sorted().joined(separator: " ")
        note("1 in \(faults.failingOneIn): \(names)")
    }

    private mutating func fillDisk() {
        var faults = disk.faults
        faults.room = random.element(of: [0, 1, 100, 5000, 40_000])
        disk.faults = faults
        note("room for \(faults.room ?? 0) bytes")
    }
}
