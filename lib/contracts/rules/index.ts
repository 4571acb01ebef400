// All rules, in the order of the documentation.
import type { Rule } from './rule.js'
import { templateError } from './template-error.js'

export const rules: readonly Rule[] = [templateError]
