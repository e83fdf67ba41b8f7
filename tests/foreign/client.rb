# Asks, waits for, answers and reads an event by gRPC's own library of Ruby and the code that its generator has made of
# the protos: client.rb HOST [CA]. The token is in HITL_TOKEN; the last line is the answer.

require 'grpc'
require 'hitl/v1/event_service_services_pb'

SECONDS_MAX = 60

host, ca = ARGV
credentials = ca ? GRPC::Core::ChannelCredentials.new(File.read(ca)) : :this_channel_is_insecure
client = Hitl::V1::EventService::Stub.new(host, credentials, timeout: SECONDS_MAX)
caller = { metadata: { 'authorization' => "Bearer #{ENV.fetch('HITL_TOKEN')}" } }

question = Hitl::V1::CreateEventRequest.new(
  name: 'ruby', prompt: 'How many?', allow_self_answer: true,
  input: Hitl::V1::Input.new(int: Hitl::V1::IntInput.new(min: 0))
)
event = client.create_event(question, **caller).event
raise "asked, it is #{event.state}" unless event.state == :EVENT_STATE_PENDING

# It is answered when the wait has said how the event stands, so that the answer comes by the wait.
last = nil
client.wait_event(Hitl::V1::WaitEventRequest.new(event_id: event.id), **caller).each do |message|
  next unless message.event

  unless last
    value = Hitl::V1::Value.new(int: 9_007_199_254_740_993)
    client.answer_event(Hitl::V1::AnswerEventRequest.new(event_id: event.id, value: value), **caller)
  end
  last = message.event
end
read = client.get_event(Hitl::V1::GetEventRequest.new(event_id: event.id), **caller).event
raise 'what was read is not what was waited for' unless read == last

begin
  client.get_event(Hitl::V1::GetEventRequest.new(event_id: event.id))
  raise 'it is read without a token'
rescue GRPC::Unauthenticated
  puts read.response.value.int
end
