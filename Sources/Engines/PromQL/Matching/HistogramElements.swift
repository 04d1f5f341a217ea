// SPDX-License-Identifier: Apache-2.0

internal import Model
internal import PromQLSyntax

/// Binary operations on two samples at least one of which is a histogram. What is to be said of an
/// operation is left to the caller, since of the pairs of one step only the last that has something
/// to say is heard.
struct HistogramElements {
    enum Outcome {
        /// The operation is not defined for these samples.
        case none
        /// A comparison that does not hold.
        case filtered
        case number(Double)
        case histogram(FloatHistogram)
    }

    typealias Element = (value: Double, histogram: FloatHistogram?)

    private let node: BinaryOperation
    private(set) var note: Annotation?

    init(_ node: BinaryOperation) { self.node = node }

    mutating func apply(_ left: Element, _ right: Element, dropsCollisions: Bool) -> Outcome {
        note = nil
        switch (left.histogram, right.histogram) {
        case (let first?, let second?): return both(first, second, dropsCollisions)
        case (let first?, nil):
            switch node.operation {
            case .multiply: return .histogram(first.scaled(by: right.value).compacted())
            case .divide: return .histogram(first.divided(by: right.value).compacted())
            case .trimUpper: return .histogram(first.trimmed(below: right.value))
            case .trimLower: return .histogram(first.trimmed(above: right.value))
            default: return undefined("histogram", "float")
            }
        case (nil, let second?):
            guard node.operation == .multiply else { return undefined("float", "histogram") }
            return .histogram(second.scaled(by: left.value).compacted())
        case (nil, nil): return undefined("float", "float")
        }
    }

    private mutating func undefined(_ left: String, _ right: String) -> Outcome {
        note = .incompatibleTypes(left, node.operation, right, node.source)
        return .none
    }

    private mutating func both(
        _ left: FloatHistogram, _ right: FloatHistogram, _ dropsCollisions: Bool
    ) -> Outcome {
        switch node.operation {
        case .add, .subtract:
            let isSum = node.operation == .add
            guard
                let combined = try? isSum ? left.adding(right) : left.subtracting(right)
            else {
                note = .incompatibleBucketLayout(node.operation, node.source)
                return .none
            }
            let name: HistogramOperationName = isSum ? .addition : .subtraction
            if combined.hasReconciledBounds { note = .reconciledCustomBuckets(name, node.source) }
            if combined.hasResetCollision {
                note = .conflictingCounterResets(name, node.source)
                if dropsCollisions { return .none }
            }
            var result = combined.histogram
            if !isSum { result.counterResetHint = .gauge }
            return .histogram(result.compacted())
        case .equal, .notEqual:
            let holds = left.hasSameData(as: right) == (node.operation == .equal)
            if node.returnsBool { return .number(holds ? 1 : 0) }
            return holds ? .histogram(left) : .filtered
        default: return undefined("histogram", "histogram")
        }
    }
}
