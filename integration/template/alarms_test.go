package template_test

import (
	"fmt"
	"strings"
)

const notified = `{"Fn::If":["HasAlarmEmail",[{"Ref":"AlarmTopic"}],{"Ref":"AWS::NoValue"}]}`

// wrongAlarms checks that each thing that needs a person has an alarm.
func wrongAlarms(t template) []string {
	wrong := t.unmet(
		expectation{"Resources/AlarmTopic/Condition", `"HasAlarmEmail"`},
		expectation{"Resources/AlarmSubscription/Condition", `"HasAlarmEmail"`},
	)
	missing := map[string]bool{
		alarmOn("AWS/SQS", "ApproximateNumberOfMessagesVisible", queueName("DeadLetterQueue")): true,
		alarmOn("AWS/SQS", "ApproximateAgeOfOldestMessage", queueName("JobsQueue")):            true,
		alarmOn("AWS/Lambda", "Errors", ref("FanOutLambdaFunction")):                           true,
	}
	for name := range t.functions() {
		missing[alarmOn("AWS/Lambda", "Throttles", ref(name+"LambdaFunction"))] = true
	}
	for id, alarm := range t.ofType("AWS::CloudWatch::Alarm") {
		namespace, _ := alarm.at("Properties/Namespace").(string)
		metric, _ := alarm.at("Properties/MetricName").(string)
		delete(missing, alarmOn(namespace, metric, alarm.text("Properties/Dimensions/0/Value")))
		for _, complaint := range alarm.unmet(
			expectation{"Properties/AlarmActions", notified},
			expectation{"Properties/ComparisonOperator", `"GreaterThanThreshold"`},
			// An idle service has no data, and nothing wrong with it.
			expectation{"Properties/TreatMissingData", `"notBreaching"`},
		) {
			wrong = append(wrong, id+": "+complaint)
		}
	}
	for what := range missing {
		wrong = append(wrong, "no alarm on "+what)
	}
	return wrong
}

func alarmOn(namespace, metric, of string) string {
	return fmt.Sprintf("%s of %s (%s)", metric, of, strings.TrimPrefix(namespace, "AWS/"))
}

func queueName(id string) string {
	return fmt.Sprintf(`{"Fn::GetAtt":[%q,"QueueName"]}`, id)
}
