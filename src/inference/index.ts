export type {
  Answer,
  AnswerTiming,
  ChatMessage,
  Endpoint,
  InferenceRequest,
  OutputToken,
  StreamFault,
} from './types.js'
