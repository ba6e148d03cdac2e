import type { EvidenceOfModel } from './documents.js'
import { fixed } from './formats.js'

const SEVERITY: Readonly<Record<string, number>> = { clean: 0, suspected: 1000, barred: 2000 }

/** The model whose answers are accused most; undefined without evidence. */
export function worstEvidence(evidence: readonly EvidenceOfModel[] = []): EvidenceOfModel | undefined {
  return [...evidence].sort((a, b) => weightOf(b) - weightOf(a))[0]
}

/** To sort by: the level first, then how much there is of it. From 1000 on the miner is accused. */
export function severityOf(evidence?: readonly EvidenceOfModel[]): number | undefined {
  const worst = worstEvidence(evidence)
  return worst && weightOf(worst)
}

/** `clean`, `suspected, 10^3.2` or `barred`: after an accusation evidence is counted anew, so its number says nothing of it. */
export function evidenceText(evidence?: readonly EvidenceOfModel[]): string {
  const worst = worstEvidence(evidence)
  if (!worst) return '–'
  return worst.level === 'suspected' ? `suspected, 10^${fixed(worst.suspicion, 1)}` : worst.level
}

function weightOf({ level, suspicion }: EvidenceOfModel): number {
  return (SEVERITY[level] ?? 0) + suspicion
}
