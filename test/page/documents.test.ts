import { expectTypeOf, it } from 'vitest'
import type { localnetStatus } from '../../src/localnet/board/index.js'
import type {
  MinerHistory,
  MinerResult,
  RoundRow,
  ValidatorDocument,
} from '../../src/page/browser/documents.js'
import type { HubDocument, HubSeriesDocument } from '../../src/page/browser/hub-documents.js'
import type { LocalnetDocument } from '../../src/page/browser/localnet-documents.js'
import type { MinerDocument, SeriesDocument } from '../../src/page/browser/miner-documents.js'
import type { hubSeries } from '../../src/roles/hub/figures/index.js'
import type { HubStatus } from '../../src/roles/hub/status-document.js'
import type { MinerStatus } from '../../src/roles/miner/index.js'
import type { MinerSeries } from '../../src/roles/miner/serving/index.js'
import type { reportDocument } from '../../src/roles/validator/reports/api.js'
import type { recentResults, recentRounds } from '../../src/roles/validator/reports/recent-rounds.js'
import type { ValidatorStatus } from '../../src/roles/validator/reports/status.js'

// The browser's code has types of its own, because its compiler knows no Node; tsc compares them here.
it('shows fields that the documents have', () => {
  expectTypeOf<ValidatorStatus>().toExtend<ValidatorDocument>()
  expectTypeOf<ReturnType<typeof recentRounds.parse>['rounds'][number]>().toExtend<RoundRow>()
  expectTypeOf<ReturnType<typeof recentResults.parse>['results'][number]>().toExtend<MinerResult>()
  expectTypeOf<ReturnType<typeof reportDocument.parse>['miners'][number]>().toExtend<MinerHistory>()
  expectTypeOf<MinerStatus>().toExtend<MinerDocument>()
  expectTypeOf<ReturnType<typeof localnetStatus.parse>>().toExtend<LocalnetDocument>()
  expectTypeOf<MinerSeries>().toExtend<SeriesDocument>()
  expectTypeOf<HubStatus>().toExtend<HubDocument>()
  expectTypeOf<ReturnType<typeof hubSeries.parse>>().toExtend<HubSeriesDocument>()
})
