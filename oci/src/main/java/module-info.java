/** Reads the resources of an OCI runtime configuration as limits of a job. */
module dev.holdfast.oci {
  requires transitive dev.holdfast;
  requires static org.jspecify;
  requires tools.jackson.core;

  exports dev.holdfast.oci;
}
