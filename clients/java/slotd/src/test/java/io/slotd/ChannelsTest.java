package io.slotd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.MethodDescriptor;
import io.grpc.ServiceDescriptor;
import io.slotd.v1.JobServiceGrpc;
import io.slotd.v1.QueueServiceGrpc;
import io.slotd.v1.ScheduleServiceGrpc;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Test;

@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class ChannelsTest {
  @Test
  void the_methods_that_are_repeated_are_methods_of_the_services() {
    Map<String, ServiceDescriptor> services =
        Stream.of(
                JobServiceGrpc.getServiceDescriptor(),
                QueueServiceGrpc.getServiceDescriptor(),
                ScheduleServiceGrpc.getServiceDescriptor())
            .collect(Collectors.toMap(ServiceDescriptor::getName, Function.identity()));
    assertEquals(services.keySet(), Channels.REPEATED_METHODS.keySet());
    Channels.REPEATED_METHODS.forEach(
        (service, methods) -> {
          Set<String> known =
              services.get(service).getMethods().stream()
                  .map(MethodDescriptor::getBareMethodName)
                  .collect(Collectors.toSet());
          assertTrue(known.containsAll(methods), service + " has only " + known);
        });
  }
}
