export { mixLogProbs, mixtureTeacher, type WeightedTeacher } from "./mixture-teacher.js";
export { matchesRule, type RoutedRow, type RouteRule, routeRuleSchema } from "./route-rule.js";
export { type RoutedMember, routedTeacher } from "./routed-teacher.js";
