export { CAUSES, type Cause, type RuleSet, type ValidatorFault, type Verdict } from './verdict.js'
