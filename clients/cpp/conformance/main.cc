#include <iostream>
#include <string>

#include "conformance/driver.h"

int main() {
  std::ios::sync_with_stdio(false);
  // Else reading flushes std::cout, into which other threads write.
  std::cin.tie(nullptr);
  conformance::Driver driver(&std::cout);
  std::string line;
  while (std::getline(std::cin, line)) {
    driver.Take(line);
  }
}
