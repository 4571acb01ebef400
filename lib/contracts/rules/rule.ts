// The interface of rules, and of places in their findings.
import type { CategoryName } from '../categories.js'
import type { Model } from '../scan/model.js'
import type { ContractIssue, Severity } from '../types.js'

/** One finding of a rule; its severity only if it differs from the rule's. */
export interface Finding extends Omit<ContractIssue, 'category' | 'severity'> {
  severity?: Severity | undefined
}

/** One kind of dead wire. */
export interface Rule {
  /** Its name in reports and options. */
  category: CategoryName
  severity: Severity
  /** One sentence for the documentation: what it finds. */
  summary: string
  check (model: Model, report: (finding: Finding) => void): void
}
