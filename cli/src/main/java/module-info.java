/** The command {@code holdfast}. */
module dev.holdfast.cli {
  requires dev.holdfast;
  requires dev.holdfast.oci;
  requires info.picocli;
  requires jdk.unsupported;
  requires static org.jspecify;
  requires tools.jackson.core;

  exports dev.holdfast.cli;
}
