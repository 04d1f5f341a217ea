// SPDX-License-Identifier: Apache-2.0

internal import Model
internal import PromQLSyntax

/// `info()`: adds labels of info metrics to the series of a vector.
struct InfoFunction {
    init(_ planner: Planner, _ arguments: [Expression], _ steps: Steps) {}

    func evaluate() throws(QueryError) -> any VectorOperator {
        throw .execution("info() is not supported yet")
    }
}
